import { tensor1d } from '@tensorflow/tfjs-core';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { openBackend } from '../../src/backends/select.ts';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage } from '../../src/core/stage.ts';
import { reportMetrics } from '../../src/corpus/corpus-report.ts';
import { planOf, type MaskPlanSource } from '../../src/masking/mask-plan.ts';
import { maskSettings } from '../../src/masking/mask-settings.ts';
import { BatchFeed } from '../../src/training/batch-feed.ts';
import { hasTokenizer } from '../../src/text/bpe/files.ts';
import { readModel } from '../../src/model/hf.ts';
import type { MaskedBatch } from '../../src/training/masked-batch.ts';
import { createParameters, disposeParameters, parameterSpecs } from '../../src/model/parameters.ts';
import { encode, maskedLmLogits, nextSentenceLogits, type Roberta } from '../../src/model/roberta.ts';
import { labelScores, readBack } from '../../src/ops/index.ts';
import { limitsOf } from '../../src/training/sequences.ts';
import type { Config } from './config.ts';

export default defineStage<Config>({
  description: 'Evaluate a masked language model on held-out sequences, with the same masks every time.',
  inputs: {
    model: { contract: 'model', description: 'RobertaForMaskedLM to evaluate' },
    sequences: { contract: 'sequences', description: 'held-out sequences' },
    masking: {
      contract: 'masked',
      description: 'a mask stage whose masking is used instead of `mlm_probability`',
      optional: true,
    },
  },
  outputs: {
    metrics: {
      contract: 'metrics',
      description:
        'the metrics as a table: `loss`, `perplexity`, `masked_accuracy`, `masked_tokens` and, for pairs, ' +
        '`next_sentence_accuracy`',
    },
  },

  async run(context) {
    const { config } = context;
    await openBackend(context.backend, config.precision);
    const folder = context.folder('model')?.path ?? '';
    const loaded = readModel(folder);
    if (loaded.head.kind !== 'masked-lm')
      fail(
        'unsupported-model',
        'The model to evaluate has no masked-LM head.',
        'Connect model to a pretraining stage, or to an import-model stage whose folder is a RobertaForMaskedLM.',
      );
    const { contract, shards } = context.dataset('sequences');
    const feed = await BatchFeed.open({
      sequences: { contract, shards },
      plan: context.has('masking') ? planOf(context.dataset('masking')) : plainMasks(folder, config.mlm_probability),
      limits: limitsOf(loaded.config),
      batch_size: config.batch_size,
      batches_per_step: 1,
      ...(config.max_sequences === undefined ? {} : { max_sequences: config.max_sequences }),
    });
    const parameters = createParameters(parameterSpecs(loaded.config, loaded.head), loaded.values);
    const model: Roberta = { config: loaded.config, parameters };

    const sums = { loss: 0, correct: 0, labels: 0, correctPairs: 0 };
    const hasPairs = feed.info.pairs && loaded.head.next_sentence === true;
    let done = 0;
    try {
      for await (const batches of feed.steps(0, feed.info.stepsPerEpoch)) {
        for (const batch of batches) {
          measure(model, batch, sums, hasPairs);
          done += batch.batch;
        }
        context.progress(done, feed.info.sequences, 'sequences');
        await nextTurn();
        context.signal.throwIfAborted();
      }
    } finally {
      await feed.close();
      disposeParameters(parameters);
    }
    if (sums.labels === 0)
      fail(
        'nothing-masked',
        'Masking selected no positions in the held-out sequences.',
        'Increase `mlm_probability`, or hold out more text.',
      );
    const loss = sums.loss / sums.labels;
    await reportMetrics(context, {
      loss,
      perplexity: Math.exp(loss),
      masked_accuracy: sums.correct / sums.labels,
      masked_tokens: sums.labels,
      ...(hasPairs ? { next_sentence_accuracy: sums.correctPairs / done } : {}),
    });
  },
});

/**
 * Masks that do not depend on how the model was trained, so that models can be compared. Each token is equally likely
 * to be selected; 80% of those become `<mask>` and 10% a random token, as in BERT.
 */
function plainMasks(folder: string, mlm_probability: number): MaskPlanSource {
  if (!hasTokenizer(folder))
    fail(
      'no-tokenizer',
      'The model was imported without a tokenizer, so its special tokens are unknown.',
      'Connect `masking` to the mask stage that the model was trained with.',
    );
  return {
    settings: maskSettings(
      {
        mlm_probability,
        epochs: 1,
        whole_word: false,
        max_span_length: 1,
        span_p: 0.2,
        mask_replace_prob: 0.8,
        random_replace_prob: 0.1,
        seed: 42,
      },
      'dynamic',
      folder,
    ),
  };
}

/**
 * Add a batch's summed loss, correct guesses and labels, in doubles, so that the result hardly depends on the batch
 * size.
 */
function measure(
  model: Roberta,
  batch: MaskedBatch,
  sums: { loss: number; correct: number; labels: number; correctPairs: number },
  hasPairs: boolean,
): void {
  const pairLabels = hasPairs ? (batch.next_sentence_labels ?? []) : [];
  const [scores, pairs = []] = readBack(() => {
    const hidden = encode(model, batch, undefined);
    const masked = labelScores(maskedLmLogits(model, hidden, batch.positions), tensor1d(batch.labels, 'int32'));
    return pairLabels.length === 0
      ? [masked]
      : [masked, labelScores(nextSentenceLogits(model, hidden, batch), tensor1d(pairLabels, 'int32'))];
  });
  for (const [row, label] of batch.labels.subarray(0, batch.labelCount).entries()) {
    const [logSum, score, best] = scores.subarray(3 * row, 3 * row + 3) as unknown as [number, number, number];
    sums.loss += logSum - score;
    sums.correct += best === label ? 1 : 0;
    sums.labels++;
  }
  pairLabels.forEach((label, i) => (sums.correctPairs += pairs[3 * i + 2] === label ? 1 : 0));
}
