import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, Tensor, tidy } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import evaluate from '../../stages/evaluate/index.ts';
import { openBackend } from '../../src/backends/select.ts';
import { maskSettings, withPlan } from '../rig/masked.ts';
import type { RobertaConfig } from '../../src/model/config.ts';
import { writeModel } from '../../src/model/hf.ts';
import { createParameters, disposeParameters, parameterSpecs, type Head } from '../../src/model/parameters.ts';
import { encode, maskedLmLogits, nextSentenceLogits } from '../../src/model/roberta.ts';
import { draw32 } from '../../src/ops/random.ts';
import { BatchFeed } from '../../src/training/batch-feed.ts';
import { limitsOf } from '../../src/training/sequences.ts';
import { absentBackends, availableBackends, backendsRoot } from '../rig/backends.ts';
import { loudValues, tinyConfig } from '../rig/hugging-face-folder.ts';
import { datasetOf, folderOf, runStage } from '../rig/run-stage.ts';

const head: Head = { kind: 'masked-lm', next_sentence: true };

/** A model of any vocabulary, and sequences of random ids for it that are pairs. */
async function fixture(vocab_size: number, count: number, length: number) {
  const config: RobertaConfig = { ...tinyConfig, vocab_size, max_position_embeddings: length + 2 };
  const folder = mkdtempSync(join(tmpdir(), 'model-'));
  const values = loudValues(config, head);
  writeModel(folder, { config, head, labels: [], values }, '/nowhere');
  const settings = maskSettings(vocab_size, { epochs: 1 });
  const sequences = await datasetOf(
    'sequences',
    Array.from({ length: count }, (_, row) => ({
      input_ids: Uint32Array.from({ length }, (_, i) =>
        i === 0 ? 0 : i === length - 1 ? 2 : 4 + (draw32(row, i) % (vocab_size - 5)),
      ),
      word_starts: Uint16Array.from({ length: length - 2 }, (_, i) => i + 1),
      doc_ids: Uint32Array.of(row),
      next_sentence_label: Uint32Array.of(row % 2)[0]!,
    })),
  );
  const row = { input_ids: Uint32Array.of(0, 2), word_starts: Uint16Array.of(1) };
  const masking = withPlan(await datasetOf('masked', [row]), settings);
  return { config, values, model: folderOf('model', folder), settings, masking, sequences };
}

type Fixture = Awaited<ReturnType<typeof fixture>>;

/** What the stage should find, from all of the scores, in doubles on the host. */
async function expected({ config, values, settings, sequences }: Fixture): Promise<Record<string, number>> {
  await openBackend('cpu');
  const feed = await BatchFeed.open({
    sequences: { contract: sequences.contract, shards: sequences.shards },
    plan: { settings },
    limits: limitsOf(config),
    batch_size: 4,
    batches_per_step: 1,
  });
  const parameters = createParameters(parameterSpecs(config, head), values);
  const model = { config, parameters };
  let [loss, correct, labels, pairs, rows] = [0, 0, 0, 0, 0];
  for await (const batches of feed.steps(0, feed.info.stepsPerEpoch))
    for (const batch of batches)
      tidy(() => {
        const hidden = encode(model, batch, undefined);
        const logits = maskedLmLogits(model, hidden, batch.positions).dataSync<'float32'>();
        for (const [i, label] of batch.labels.subarray(0, batch.labelCount).entries()) {
          const row = logits.subarray(i * config.vocab_size, (i + 1) * config.vocab_size);
          const max = row.reduce((a, b) => Math.max(a, b));
          loss += Math.log(row.reduce((sum, score) => sum + Math.exp(score - max), 0)) + max - row[label]!;
          correct += row.indexOf(max) === label ? 1 : 0;
          labels++;
        }
        const scores = nextSentenceLogits(model, hidden, batch).dataSync<'float32'>();
        batch.next_sentence_labels?.forEach((label, i) => {
          pairs += Number(scores[2 * i + 1]! > scores[2 * i]!) === label ? 1 : 0;
          rows++;
        });
      });
  await feed.close();
  disposeParameters(parameters);
  return {
    loss: loss / labels,
    perplexity: Math.exp(loss / labels),
    masked_accuracy: correct / labels,
    masked_tokens: labels,
    next_sentence_accuracy: pairs / rows,
  };
}

/** Run the stage, and note how many values at most it brings to the host at once. */
async function measure({ model, masking, sequences }: Fixture, backend: string, config: Record<string, unknown> = {}) {
  await openBackend(availableBackends.find(({ name }) => name === backend)!);
  let most = 0;
  const original = Tensor.prototype.dataSync;
  Tensor.prototype.dataSync = function (this: Tensor) {
    most = Math.max(most, this.size);
    return original.call(this) as never;
  };
  const before = memory().numTensors;
  try {
    const { metrics } = await runStage(evaluate, {
      type: 'evaluate',
      config: { backend, ...config },
      inputs: { model, sequences, masking },
      backends: backendsRoot,
    });
    expect(memory().numTensors).toBe(before);
    return { metrics, most };
  } finally {
    Tensor.prototype.dataSync = original;
  }
}

absentBackends('evaluate');

describe.each(availableBackends)('evaluate on $name', ({ name }) => {
  test('gives the figures of all scores, and brings three numbers per label to the host', async () => {
    const small = await fixture(300, 12, 40);
    const { metrics, most } = await measure(small, name, { batch_size: 4 });
    for (const [figure, value] of Object.entries(await expected(small)))
      expect(Math.abs(metrics[figure]! - value), figure).toBeLessThanOrEqual(1e-5 * Math.abs(value));
    expect(most).toBeLessThan(300);
  });
});

test("RoBERTa's vocabulary and length take seconds in the default batch", async () => {
  const large = await fixture(50_265, 16, 512);
  const started = process.cpuUsage();
  const { metrics, most } = await measure(large, 'wasm');
  expect(metrics.masked_tokens).toBeGreaterThan(1000);
  expect(metrics.loss).toBeGreaterThan(0);
  expect(most).toBeLessThan(50_265);
  // 5 s here; minutes, and then a failure, when every score is looked at as tidy's result is.
  expect(process.cpuUsage(started).user).toBeLessThan(60_000_000);
});
