import { setImmediate as nextTurn } from 'node:timers/promises';
import { openBackend, type Precision } from '../../src/backends/select.ts';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/model/checkpoint.ts';
import { dimensionsOf, positionOffset, type Preset, type RobertaConfig } from '../../src/model/config.ts';
import { DataOrder, type Sample } from '../../src/model/data-order.ts';
import { writeModel } from '../../src/model/hf.ts';
import { Optimizer } from '../../src/model/optimizer.ts';
import { countParameters, createParameters, disposeParameters, initialValues, parameterSpecs, readParameters } from '../../src/model/parameters.ts';
import { encode, loss, maskedLmLogits, type Roberta } from '../../src/model/roberta.ts';
import { learningRate } from '../../src/model/schedule.ts';
import { collate, loadSequences, type MaskedBatch, type Sequence } from '../../src/model/sequence-store.ts';
import { trainStep } from '../../src/model/train-step.ts';
import { captureState, restoreState } from '../../src/model/trainer-state.ts';
import { key32 } from '../../src/ops/random.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import type { BpeModel } from '../../src/text/bpe/model.ts';
import { loadMaskPlan } from '../../src/text/mask-plan.ts';
import { maskSequence, type MaskPlan } from '../../src/text/masking.ts';
import { check } from './check.ts';
import { readInitModel } from './init-model.ts';

interface Config {
  precision: Precision;
  size: Preset;
  hidden_size?: number;
  num_hidden_layers?: number;
  num_attention_heads?: number;
  intermediate_size?: number;
  max_length: number;
  max_position_embeddings?: number;
  hidden_dropout_prob: number;
  attention_probs_dropout_prob: number;
  layer_norm_eps: number;
  initializer_range: number;
  batch_size: number;
  gradient_accumulation_steps: number;
  max_steps: number;
  learning_rate: number;
  warmup_steps?: number;
  warmup_ratio: number;
  weight_decay: number;
  adam_beta1: number;
  adam_beta2: number;
  adam_epsilon: number;
  seed: number;
  save_steps: number;
  logging_steps: number;
  max_bad_steps: number;
}

/** What a checkpoint remembers besides tensors. */
interface Progress {
  readonly updates: number;
  readonly bad_steps: number;
  readonly tokens: number;
  /** Losses of the first and the latest steps, for the metrics. */
  readonly first: readonly number[];
  readonly last: readonly number[];
}

export default defineStage<Config>({
  description: 'Pretrain RoBERTa on masked sequences; a killed run resumes bit for bit.',
  inputs: {
    masked: { contract: 'masked', description: 'sequences, masked already (static) or to be masked as they are served' },
    plan: { contract: 'mask-plan', description: 'how to mask sequences that are not masked yet' },
    tokenizer: { contract: 'tokenizer', description: 'tokenizer of the sequences; it goes into the model folder' },
    init: { contract: 'model', description: 'model to start from, instead of random weights', optional: true },
  },
  outputs: { model: { contract: 'model', description: 'RobertaForMaskedLM' } },

  check,

  async run(context) {
    const { config } = context;
    const { backend } = context;
    await openBackend(backend, config.precision);
    const tokenizerFolder = context.model('tokenizer')?.path ?? '';
    const start = startingPoint(context, loadTokenizer(tokenizerFolder));
    const specs = parameterSpecs(start.config, { kind: 'masked-lm' });
    const { sequences, tokens } = await loadSequences(context.dataset('masked'), { maxTokens: start.config.max_position_embeddings - positionOffset, vocab_size: start.config.vocab_size });
    context.log(`backend ${backend.name} ${backend.version} on ${backend.device} in ${config.precision}; ${countParameters(specs).toLocaleString('en')} parameters; ${sequences.length} sequences, ${tokens.toLocaleString('en')} tokens`);

    const parameters = createParameters(specs, start.values ?? initialValues(specs, start.config, config.seed));
    const optimizer = new Optimizer(parameters, config);
    const model: Roberta = { config: start.config, parameters };
    await train(context, model, optimizer, sequences, loadMaskPlan(context.model('plan')?.path ?? ''));

    writeModel(context.folder('model').path, { config: start.config, head: { kind: 'masked-lm' }, labels: [], values: readParameters(parameters) }, tokenizerFolder);
    optimizer.dispose();
    disposeParameters(parameters);
  },
});

/** Architecture, and weights when there is a model to continue from. */
function startingPoint(context: StageContext<Config>, tokenizer: BpeModel): { config: RobertaConfig; values?: Map<string, Float32Array> } {
  const { config } = context;
  const { hidden_dropout_prob, attention_probs_dropout_prob, layer_norm_eps, initializer_range } = config;
  const fresh = { vocab_size: tokenizer.tokens.length, ...dimensionsOf(config.size, config), max_position_embeddings: config.max_position_embeddings ?? config.max_length + positionOffset, hidden_dropout_prob, attention_probs_dropout_prob, layer_norm_eps, initializer_range };
  const init = context.model('init');
  if (init === undefined) return { config: fresh };
  const loaded = readInitModel(init.path, tokenizer);
  context.log('continuing from the weights of init; its architecture counts, not size and dimensions here');
  return { config: { ...loaded.config, hidden_dropout_prob, attention_probs_dropout_prob }, values: loaded.values };
}

async function train(context: StageContext<Config>, model: Roberta, optimizer: Optimizer, sequences: readonly Sequence[], plan: MaskPlan): Promise<void> {
  const { config } = context;
  const warmupSteps = config.warmup_steps ?? Math.round(config.warmup_ratio * config.max_steps);
  const window = Math.max(1, Math.min(20, Math.floor(config.max_steps / 10)));
  const order = new DataOrder(sequences.length, config.seed);

  const saved = loadCheckpoint<Progress>(context.checkpoint, (message) => context.log(`warning: ${message}`));
  let step = saved?.step ?? 0;
  let progress: Progress = saved?.progress ?? { updates: 0, bad_steps: 0, tokens: 0, first: [], last: [] };
  if (saved !== undefined) {
    restoreState(optimizer, saved.tensors);
    optimizer.updates = progress.updates;
    context.log(`resumed after step ${step}`);
  }
  const save = () => saveCheckpoint(context.checkpoint, { step, progress, tensors: captureState(optimizer) });

  while (step < config.max_steps) {
    const batches = microBatches(order.slice(step, config.batch_size * config.gradient_accumulation_steps), config.batch_size, (sample) => masked(sequences, plan, sample));
    const labels = batches.reduce((total, batch) => total + batch.labels.length, 0);
    const dropoutKey = (micro: number) => key32('dropout', config.seed, step, micro);
    const peak = config.learning_rate;
    const result = labels === 0 ? { loss: Number.NaN, skipped: true } : trainStep(
      optimizer,
      batches.filter((batch) => batch.labels.length > 0).map((batch, micro) => () => loss(maskedLmLogits(model, encode(model, batch, dropoutKey(micro)), batch.positions), batch.labels, labels)),
      learningRate(step, peak, warmupSteps, config.max_steps),
    );
    step++;
    progress = advance(progress, result, optimizer.updates, batches, window);
    if (result.skipped) {
      context.log(`step ${step}: the loss or a gradient was not finite, or nothing was masked; skipped (${progress.bad_steps} so far)`);
      if (progress.bad_steps > config.max_bad_steps) fail('training-diverged', `${progress.bad_steps} of ${step} steps had a loss or gradient that was not finite.`, 'Lower learning_rate, warm up longer, or look at the data; max_bad_steps says how many are tolerated.');
    }
    const tokensPerStep = progress.tokens / step;
    context.progress(progress.tokens, step === config.max_steps ? progress.tokens : Math.round(tokensPerStep * config.max_steps), 'tokens', `step ${step}/${config.max_steps} loss ${result.loss.toFixed(3)}`);
    if (step % config.logging_steps === 0) context.log(`step ${step} loss ${result.loss.toFixed(4)}`);
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
}

/** A sequence as the model sees it: as it was masked, or masked now for its epoch. */
function masked(sequences: readonly Sequence[], plan: MaskPlan, { index, epoch }: Sample): Pick<Required<Sequence>, 'input_ids' | 'positions' | 'labels'> {
  const { input_ids, word_starts, positions, labels } = sequences[index] as Sequence;
  if (positions !== undefined && labels !== undefined) return { input_ids, positions, labels };
  return maskSequence(plan, input_ids, word_starts, epoch, index);
}

function microBatches(samples: readonly Sample[], size: number, serve: (sample: Sample) => Parameters<typeof collate>[0][number]): MaskedBatch[] {
  const batches: MaskedBatch[] = [];
  for (let at = 0; at < samples.length; at += size) batches.push(collate(samples.slice(at, at + size).map(serve)));
  return batches;
}

function advance(progress: Progress, result: { loss: number; skipped: boolean }, updates: number, batches: readonly MaskedBatch[], window: number): Progress {
  const tokens = progress.tokens + batches.reduce((total, batch) => total + batch.tokens, 0);
  if (result.skipped) return { ...progress, tokens, bad_steps: progress.bad_steps + 1 };
  const first = progress.first.length < window ? [...progress.first, result.loss] : progress.first;
  return { ...progress, updates, tokens, first, last: [...progress.last, result.loss].slice(-window) };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
