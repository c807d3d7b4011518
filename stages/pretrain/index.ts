import { setImmediate as nextTurn } from 'node:timers/promises';
import { add, type Scalar } from '@tensorflow/tfjs-core';
import { openBackend } from '../../src/backends/select.ts';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { planOf } from '../../src/masking/mask-plan.ts';
import { BatchFeed } from '../../src/training/batch-feed.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/training/checkpoint.ts';
import { dimensionsOf, maxTokens, positionOffset, type RobertaConfig } from '../../src/model/config.ts';
import { writeModel } from '../../src/model/hf.ts';
import type { MaskedBatch } from '../../src/training/masked-batch.ts';
import { Optimizer } from '../../src/training/optimizer.ts';
import {
  countParameters,
  createParameters,
  disposeParameters,
  initialValues,
  parameterSpecs,
  readParameters,
  type Head,
} from '../../src/model/parameters.ts';
import { encode, loss, maskedLmLogits, nextSentenceLogits, type Roberta } from '../../src/model/roberta.ts';
import { learningRate } from '../../src/training/schedule.ts';
import { limitsOf, type SequenceLimits } from '../../src/training/sequences.ts';
import { trainStep } from '../../src/training/train-step.ts';
import { captureState, restoreState } from '../../src/training/trainer-state.ts';
import { key32 } from '../../src/ops/random.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import type { BpeModel } from '../../src/text/bpe/model.ts';
import { check } from './check.ts';
import type { Config } from './config.ts';
import { readInitModel } from './init-model.ts';

/** What a checkpoint remembers besides tensors. */
interface Progress {
  readonly updates: number;
  readonly bad_steps: number;
  readonly tokens: number;
  /** Losses of the first and the most recent steps, for the metrics. */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

export default defineStage<Config>({
  description: 'Pretrain RoBERTa on masked sequences. An interrupted run resumes where it stopped, bit for bit.',
  inputs: {
    masked: {
      contract: 'masked',
      description: 'sequences that are already masked (static) or are masked when they are served',
    },
    tokenizer: { contract: 'tokenizer', description: 'tokenizer of the sequences; copied into the model folder' },
    init: { contract: 'model', description: 'model to start from, instead of random weights', optional: true },
  },
  outputs: {
    model: {
      contract: 'model',
      description: 'RobertaForMaskedLM, with an additional next-sentence head if the sequences are pairs',
    },
  },

  check,

  async run(context) {
    const { config, backend } = context;
    const tokenizerFolder = context.folder('tokenizer')?.path ?? '';
    const start = startingPoint(context, loadTokenizer(tokenizerFolder));
    const { contract, shards } = context.dataset('masked');
    const feed = await BatchFeed.open({
      sequences: { contract, shards },
      plan: planOf(context.dataset('masked')),
      limits: start.limits,
      batch_size: config.batch_size,
      batches_per_step: config.gradient_accumulation_steps,
      seed: config.seed,
    });
    try {
      await openBackend(backend, config.precision);
      const head: Head = { kind: 'masked-lm', ...(feed.info.pairs ? { next_sentence: true } : {}) };
      const architecture: RobertaConfig = {
        ...start.config,
        max_position_embeddings: start.config.max_position_embeddings ?? positionsFor(feed.info.longest),
      };
      const specs = parameterSpecs(architecture, head);
      context.log(
        `backend ${backend.name} ${backend.version} on ${backend.device} in ${config.precision}; ` +
          `${countParameters(specs).toLocaleString('en')} parameters; ${feed.info.sequences} sequences, ` +
          `${feed.info.tokens.toLocaleString('en')} tokens`,
      );
      if (feed.info.pairs)
        context.log('the sequences are pairs: the loss is the sum of the masked-token loss and the next-sentence loss');
      // A model to continue from may lack the head for pairs.
      const fresh = initialValues(
        specs.filter(({ name }) => start.values?.has(name) !== true),
        architecture,
        config.seed,
      );
      const parameters = createParameters(specs, new Map([...(start.values ?? []), ...fresh]));
      const optimizer = new Optimizer(parameters, config);
      const model: Roberta = { config: architecture, parameters };
      await train(context, model, optimizer, feed);

      writeModel(
        context.outputFolder('model').path,
        { config: architecture, head, labels: [], values: readParameters(parameters) },
        tokenizerFolder,
      );
      optimizer.dispose();
      disposeParameters(parameters);
    } finally {
      await feed.close();
    }
  },
});

/** What training starts from. */
interface Start {
  /** The sequences decide on the number of positions where the config does not. */
  readonly config: Omit<RobertaConfig, 'max_position_embeddings'> & { max_position_embeddings: number | undefined };
  readonly limits: SequenceLimits;
  /** Weights, when there is a model to continue from. */
  readonly values?: Map<string, Float32Array>;
}

function startingPoint(context: StageContext<Config>, tokenizer: BpeModel): Start {
  const { config } = context;
  const { hidden_dropout_prob, attention_probs_dropout_prob, layer_norm_eps, initializer_range } = config;
  const fresh = {
    vocab_size: tokenizer.tokens.length,
    ...dimensionsOf(config.size, config),
    max_position_embeddings:
      config.max_position_embeddings ??
      (config.max_length === undefined ? undefined : config.max_length + positionOffset),
    hidden_dropout_prob,
    attention_probs_dropout_prob,
    layer_norm_eps,
    initializer_range,
  };
  const init = context.folder('init');
  if (init === undefined) return { config: fresh, limits: limitsOfNew(fresh) };
  const loaded = readInitModel(init.path, tokenizer);
  context.log(
    'continuing from the weights of init; its architecture is used, not the size and dimensions in this stage',
  );
  const architecture = { ...loaded.config, hidden_dropout_prob, attention_probs_dropout_prob };
  return { config: architecture, limits: limitsOf(architecture), values: loaded.values };
}

function limitsOfNew({ vocab_size, max_position_embeddings }: Start['config']): SequenceLimits {
  if (max_position_embeddings === undefined) return { vocab_size };
  return {
    vocab_size,
    maxTokens: maxTokens({ max_position_embeddings }),
    raisedBy: 'omit max_length and max_position_embeddings here',
  };
}

/** Rounded up to a power of two, as held-out sequences may be somewhat longer than those of the training set. */
function positionsFor(longest: number): number {
  return 2 ** Math.ceil(Math.log2(longest)) + positionOffset;
}

async function train(
  context: StageContext<Config>,
  model: Roberta,
  optimizer: Optimizer,
  feed: BatchFeed,
): Promise<void> {
  const { config } = context;
  const warmupSteps = config.warmup_steps ?? Math.round(config.warmup_ratio * config.max_steps);
  const window = Math.max(1, Math.min(20, Math.floor(config.max_steps / 10)));

  const saved = loadCheckpoint<Progress>(context.checkpoint, (message) => context.log(`warning: ${message}`));
  let step = saved?.step ?? 0;
  let progress: Progress = saved?.progress ?? { updates: 0, bad_steps: 0, tokens: 0, first: [], last: [] };
  if (saved !== undefined) {
    restoreState(optimizer, saved.tensors);
    optimizer.updates = progress.updates;
    context.log(`resumed after step ${step}`);
  }
  const save = () => saveCheckpoint(context.checkpoint, { step, progress, tensors: captureState(optimizer) });

  const began = performance.now();
  const dataWait = () => feed.waitedSeconds / ((performance.now() - began) / 1000);
  for await (const batches of feed.steps(step, config.max_steps)) {
    const served = batches.filter((batch) => batch.labelCount > 0);
    const labels = served.reduce((total, batch) => total + batch.labelCount, 0);
    const sequences = served.reduce((total, { batch }) => total + batch, 0);
    const dropoutKey = (micro: number) => key32('dropout', config.seed, step, micro);
    const peak = config.learning_rate;
    const result =
      labels === 0
        ? { loss: Number.NaN, skipped: true }
        : trainStep(
            optimizer,
            served.map((batch, micro) => () => lossOf(model, batch, dropoutKey(micro), { labels, sequences })),
            learningRate(step, peak, warmupSteps, config.max_steps),
          );
    step++;
    progress = advance(progress, result, optimizer.updates, batches, window);
    if (result.skipped) {
      context.log(
        `step ${step}: non-finite loss or gradient, or nothing masked; skipped ` + `(${progress.bad_steps} so far)`,
      );
      if (progress.bad_steps > config.max_bad_steps)
        fail(
          'training-diverged',
          `${progress.bad_steps} of ${step} steps had a non-finite loss or gradient.`,
          'Reduce learning_rate, use a longer warm-up, or check the data; max_bad_steps sets how many are tolerated.',
        );
    }
    const tokensPerStep = progress.tokens / step;
    context.progress(
      progress.tokens,
      step === config.max_steps ? progress.tokens : Math.round(tokensPerStep * config.max_steps),
      'tokens',
      `step ${step}/${config.max_steps} loss ${result.loss.toFixed(3)}, data wait ${percent(dataWait())}`,
    );
    if (step % config.logging_steps === 0)
      context.log(`step ${step} loss ${result.loss.toFixed(4)}, data wait ${percent(dataWait())}`);
    if (step % config.save_steps === 0 && step < config.max_steps) save();
    await nextTurn();
    if (context.signal.aborted) {
      save();
      context.signal.throwIfAborted();
    }
  }
  context.metric('loss_first', mean(progress.first));
  context.metric('loss', mean(progress.last));
  context.metric('tokens', progress.tokens);
  context.metric('bad_steps', progress.bad_steps);
  context.metric('data_wait_seconds', feed.waitedSeconds);
  context.metric('data_wait_share', dataWait());
}

/** A micro-batch's share of the step's loss, over the masked tokens and, for pairs, over the pairs. */
function lossOf(
  model: Roberta,
  batch: MaskedBatch,
  dropoutKey: number,
  step: { readonly labels: number; readonly sequences: number },
): Scalar {
  const hidden = encode(model, batch, dropoutKey);
  const masked = loss(maskedLmLogits(model, hidden, batch.positions), batch.labels, step.labels);
  return batch.next_sentence_labels === undefined
    ? masked
    : add(masked, loss(nextSentenceLogits(model, hidden, batch), batch.next_sentence_labels, step.sequences));
}

function advance(
  progress: Progress,
  result: { loss: number; skipped: boolean },
  updates: number,
  batches: readonly MaskedBatch[],
  window: number,
): Progress {
  const tokens = progress.tokens + batches.reduce((total, batch) => total + batch.tokens, 0);
  if (result.skipped) return { ...progress, tokens, bad_steps: progress.bad_steps + 1 };
  const first = progress.first.length < window ? [...progress.first, result.loss] : progress.first;
  return { ...progress, updates, tokens, first, last: [...progress.last, result.loss].slice(-window) };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)}%`;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
