import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { tidy, variableGrads, type Scalar, type Variable } from '@tensorflow/tfjs-core';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import type { Row } from '../../src/core/data.ts';
import { BatchFeed } from '../../src/training/batch-feed.ts';
import { BatchSource, type BatchPlan } from '../../src/training/batch-source.ts';
import { samplesOf } from '../../src/training/data-order.ts';
import { maskedBatch, type MaskedBatch } from '../../src/training/masked-batch.ts';
import { createParameters, initialValues, parameterSpecs } from '../../src/model/parameters.ts';
import { encode, loss, maskedLmLogits } from '../../src/model/roberta.ts';
import { ignoredLabel } from '../../src/ops/ignored-label.ts';
import { writeMaskPlan } from '../../src/masking/mask-plan.ts';
import { createMaskPlan, maskSequence, type MaskSettings } from '../../src/masking/masking.ts';
import { compiled } from '../rig/compiled.ts';
import { maskSettings, planIn } from '../rig/masked.ts';
import { datasetOf } from '../rig/run-stage.ts';

const vocab_size = 200;
const settings = maskSettings(vocab_size);
const modes: Record<string, Partial<MaskSettings>> = {
  dynamic: {},
  'a rising rate': { mlm_probability: 0.15, mlm_probability_end: 0.4 },
  importance: { mode: 'importance' },
  'whole words': { whole_word: true },
  spans: { max_span_length: 6 },
};

const row = (index: number, length: number): Row => ({
  input_ids: Uint32Array.from({ length }, (_, i) =>
    i === 0 ? 0 : i === length - 1 ? 2 : 4 + ((index * 31 + i * i) % (vocab_size - 5)),
  ),
  word_starts: Uint16Array.from({ length: Math.ceil((length - 2) / 2) }, (_, i) => 1 + i * 2),
  doc_ids: Uint32Array.of(index),
});

/** A plan over sequences of these lengths, and their rows. */
async function planOf(
  lengths: readonly number[],
  change: Partial<MaskSettings>,
  options: Partial<BatchPlan> = {},
): Promise<{ plan: BatchPlan; rows: Row[]; settings: MaskSettings }> {
  const { contract, shards, rows } = await datasetOf(
    'sequences',
    lengths.map((length, index) => row(index, length)),
  );
  const folder = mkdtempSync(join(tmpdir(), 'plan-'));
  writeMaskPlan(
    folder,
    { ...settings, ...change },
    {
      count: new Float64Array(vocab_size),
      importance: new Float64Array(vocab_size),
      probability: Float32Array.from({ length: vocab_size }, (_, id) => 0.1 + (id % 10) / 100),
    },
  );
  const plan = {
    sequences: { contract, shards },
    plan: planIn(folder),
    limits: { maxTokens: 64, vocab_size },
    batch_size: 8,
    batches_per_step: 2,
    seed: 11,
    ...options,
  };
  return { plan, rows: await rows(), settings: { ...settings, ...change } };
}

const packed = Array.from({ length: 100 }, () => 64);
const uneven = Array.from({ length: 100 }, (_, i) => 10 + ((i * 37) % 50));

async function take(plan: BatchPlan, start: number, end: number, url?: URL): Promise<MaskedBatch[][]> {
  const feed = await BatchFeed.open(plan, url);
  try {
    const steps: MaskedBatch[][] = [];
    for await (const batches of feed.steps(start, end)) steps.push(batches);
    return steps;
  } finally {
    await feed.close();
  }
}

let thread: URL;
beforeAll(async () => {
  thread = await compiled('src/training/batch-thread.ts');
});

describe('masked batches', () => {
  it.each(Object.entries(modes))('%s: each is its sequences, masked for their epoch', async (_, change) => {
    const { plan, rows, settings } = await planOf(uneven, change);
    const masks = createMaskPlan(
      settings,
      settings.mode === 'importance'
        ? Float32Array.from({ length: vocab_size }, (_v, id) => 0.1 + (id % 10) / 100)
        : undefined,
    );
    for (const [step, batches] of (await take(plan, 0, 14)).entries()) {
      // two epochs and a little
      const samples = samplesOf(step, 16, rows.length, 11);
      for (const [at, batch] of batches.entries()) {
        const expected = samples
          .slice(at * 8, at * 8 + 8)
          .map(({ index, epoch }) =>
            maskSequence(
              masks,
              rows[index]!.input_ids as Uint32Array,
              rows[index]!.word_starts as Uint16Array,
              epoch,
              index,
            ),
          );
        for (const [i, { input_ids }] of expected.entries())
          expect([...batch.input_ids.subarray(i * batch.length, (i + 1) * batch.length)]).toEqual([
            ...input_ids,
            ...Array.from({ length: batch.length - input_ids.length }, () => 1),
          ]);
        expect([...batch.positions.subarray(0, batch.labelCount)]).toEqual(
          expected.flatMap(({ positions }, i) => [...positions].map((position) => i * batch.length + position)),
        );
        expect([...batch.labels]).toEqual([
          ...expected.flatMap(({ labels }) => [...labels]),
          ...Array.from({ length: batch.labels.length - batch.labelCount }, () => ignoredLabel),
        ]);
        expect(batch.tokens).toBe(expected.reduce((sum, { input_ids }) => sum + input_ids.length, 0));
      }
    }
  });

  it('of pairs have their labels with them, each at its place', async () => {
    const { contract, shards, rows } = await datasetOf(
      'sequences',
      packed.map((length, index) => ({ ...row(index, length), next_sentence_label: index % 3 === 0 ? 1 : 0 })),
    );
    const { plan } = await planOf(packed, {});
    const pairs = await rows();
    for (const [step, batches] of (await take({ ...plan, sequences: { contract, shards } }, 0, 14, thread)).entries()) {
      const expected = samplesOf(step, 16, pairs.length, 11).map(({ index }) => pairs[index]!.next_sentence_label);
      expect(batches.flatMap(({ next_sentence_labels }) => [...next_sentence_labels!])).toEqual(expected);
    }
    const mixed = { contract, shards: [...shards, ...plan.sequences.shards] };
    expect(() => new BatchSource({ ...plan, sequences: mixed })).toThrow(/Some of the sequences are pairs/);
    expect((await take(plan, 0, 1))[0]![0]).not.toHaveProperty('next_sentence_labels');
  });

  it.each(Object.entries({ ...modes, 'dynamic, of uneven sequences': {} }))(
    '%s: all have one shape',
    async (name, change) => {
      const { plan } = await planOf(name.includes('uneven') ? uneven : packed, change, {
        batch_size: 32,
        batches_per_step: 1,
      });
      const source = new BatchSource(plan);
      const shapes = new Map<string, number>();
      let [labels, slots] = [0, 0];
      for (let step = 0; step < 300; step++)
        for (const { length, input_ids, positions, labels: ids, labelCount } of source.step(step)) {
          const shape = [length, input_ids.length, positions.length, ids.length].join();
          shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
          labels += labelCount;
          slots += ids.length;
        }
      source.close();
      expect(Math.max(...shapes.values()), JSON.stringify([...shapes])).toBe(300);
      if (name === 'dynamic') expect(labels / slots).toBeGreaterThan(0.92);
    },
  );

  it("masked beforehand: positions and labels are the shard's own", async () => {
    const { plan, rows } = await planOf(packed, {});
    const masks = createMaskPlan(settings);
    const masked = rows.map(({ input_ids, word_starts }, index) => ({
      ...maskSequence(masks, input_ids as Uint32Array, word_starts as Uint16Array, 7, index),
      word_starts: word_starts!,
    }));
    const { contract, shards } = await datasetOf('masked', masked);
    const [[batch]] = (await take({ ...plan, sequences: { contract, shards } }, 9, 10)) as [[MaskedBatch]];
    const drawn = samplesOf(9, 16, 100, 11)
      .slice(0, 8)
      .map(({ index }) => masked[index]!);
    expect([...batch.input_ids]).toEqual(drawn.flatMap(({ input_ids }) => [...input_ids]));
    expect([...batch.labels.subarray(0, batch.labelCount)]).toEqual(drawn.flatMap(({ labels }) => [...labels]));
  });

  it('without a seed: in their order, once, the last one smaller', async () => {
    const { seed: _, ...plan } = (await planOf(packed, {}, { batches_per_step: 1, max_sequences: 43 })).plan;
    const source = new BatchSource(plan);
    expect(source.info).toMatchObject({ sequences: 43, stepsPerEpoch: 6 });
    expect([0, 5, 6].map((step) => source.step(step).map(({ batch }) => batch))).toEqual([[8], [3], []]);
    source.close();
  });

  it('room that labels do not fill changes neither loss nor gradients', async () => {
    await openBackend('cpu');
    const config = {
      vocab_size,
      hidden_size: 16,
      num_hidden_layers: 1,
      num_attention_heads: 2,
      intermediate_size: 32,
      max_position_embeddings: 66,
      hidden_dropout_prob: 0,
      attention_probs_dropout_prob: 0,
      layer_norm_eps: 1e-5,
      initializer_range: 0.1,
    };
    const specs = parameterSpecs(config, { kind: 'masked-lm' });
    const parameters = createParameters(specs, initialValues(specs, config, 1));
    const masks = createMaskPlan(settings);
    const sequences = [0, 1, 2].map((index) =>
      maskSequence(masks, row(index, 20 + index).input_ids as Uint32Array, [], 0, index),
    );
    const count = sequences.reduce((sum, { labels }) => sum + labels.length, 0);
    const measure = (slots: number): number[][] => {
      const batch = maskedBatch(sequences, 32, slots);
      expect([batch.labels.length, batch.labelCount]).toEqual([slots, count]);
      return tidy(() => {
        const { value, grads } = variableGrads(
          () =>
            loss(
              maskedLmLogits({ config, parameters }, encode({ config, parameters }, batch, undefined), batch.positions),
              batch.labels,
              batch.labelCount,
            ),
          [...parameters.values()] as Variable[],
        );
        return [value as Scalar, ...Object.values(grads)].map((tensor) => [...tensor.dataSync()]);
      });
    };
    const [exact, roomy] = [measure(count), measure(count + 13)];
    expect(exact[0]![0]).toBeGreaterThan(1);
    for (const [i, values] of exact.entries())
      for (const [j, value] of values.entries()) expect(Math.abs(value - roomy[i]![j]!)).toBeLessThan(1e-6);
    for (const parameter of parameters.values()) parameter.dispose();
  });
});

describe('the order of sequences', () => {
  it('serves each once an epoch, by a function of seed and step alone', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer(),
        (count, size, seed) => {
          const steps = Math.ceil((3 * count) / size);
          const samples = Array.from({ length: steps }, (_, step) => samplesOf(step, size, count, seed)).flat();
          for (let epoch = 0; epoch < 3; epoch++) {
            const drawn = samples.slice(epoch * count, (epoch + 1) * count);
            expect(new Set(drawn.map((sample) => sample.epoch))).toEqual(new Set([epoch]));
            expect(drawn.map(({ index }) => index).sort((a, b) => a - b)).toEqual(
              Array.from({ length: count }, (_, i) => i),
            );
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('is another in each epoch, and for each seed', () => {
    const orders = [1, 2].flatMap((seed) =>
      [0, 1].map((epoch) =>
        samplesOf(epoch, 100, 100, seed)
          .map(({ index }) => index)
          .join(),
      ),
    );
    expect(new Set(orders).size).toBe(4);
  });

  it('puts every sequence into every place about as often', () => {
    const [count, epochs] = [10, 20_000];
    const seen = new Float64Array(count * count);
    for (let epoch = 0; epoch < epochs; epoch++)
      for (const [place, { index }] of samplesOf(epoch, count, count, 5).entries()) seen[place * count + index]!++;
    const expected = epochs / count;
    const chiSquare = seen.reduce((sum, times) => sum + (times - expected) ** 2 / expected, 0);
    // 81 degrees of freedom: 140 is passed once in 20,000 draws, and this one is fixed
    expect(chiSquare).toBeLessThan(140);
  });
});

describe('batches from another thread', () => {
  it.each(Object.entries(modes))('%s: are those made here', async (_, change) => {
    const { plan } = await planOf(uneven, change);
    expect(await take(plan, 0, 20, thread)).toEqual(await take(plan, 0, 20));
  });

  it('start at any step with what an undisturbed run has there', async () => {
    const { plan } = await planOf(packed, {});
    const whole = await take(plan, 0, 15, thread);
    for (const start of [1, 6, 14]) expect(await take(plan, start, 15, thread)).toEqual(whole.slice(start));
  });

  it('are moved, and the time that they were waited for is told, not what was done meanwhile', async () => {
    const { plan } = await planOf(packed, {});
    const feed = await BatchFeed.open(plan, thread);
    const timed = async (pauseMs: number): Promise<{ total: number; waited: number }> => {
      const [start, before] = [performance.now(), feed.waitedSeconds];
      for await (const [batch] of feed.steps(0, 5)) {
        expect(batch!.input_ids.buffer.byteLength).toBe(8 * 64 * 4);
        if (pauseMs > 0) await sleep(pauseMs);
      }
      return { total: (performance.now() - start) / 1000, waited: feed.waitedSeconds - before };
    };
    const hurried = await timed(0);
    expect(hurried.waited).toBeLessThanOrEqual(hurried.total);
    expect(hurried.waited).toBeGreaterThan(hurried.total / 2);
    const leisurely = await timed(100);
    expect(leisurely.waited).toBeLessThanOrEqual(leisurely.total - 5 * 0.099);
    await feed.close();
  });

  it.each<[string, (bytes: Buffer) => Uint8Array, string]>([
    ['is cut short', (bytes) => bytes.subarray(0, -100), 'damaged-shard'],
    [
      'has an id outside of the vocabulary',
      (bytes) => {
        bytes.writeUInt32LE(
          vocab_size,
          bytes.indexOf(Buffer.from((row(99, 64).input_ids as Uint32Array<ArrayBuffer>).buffer)),
        );
        return bytes;
      },
      'id-outside-vocabulary',
    ],
  ])('fail as they would here when a shard %s', async (_, damage, code) => {
    const { plan } = await planOf(packed, {});
    const { location } = plan.sequences.shards[0]!;
    writeFileSync(location, damage(readFileSync(location)));
    const here = await take(plan, 0, 7).catch((error: unknown) => error);
    expect(here).toMatchObject({ diagnostic: { code } });
    expect(await take(plan, 0, 7, thread).catch((error: unknown) => error)).toMatchObject({
      name: 'Failure',
      diagnostic: (here as { diagnostic: object }).diagnostic,
    });
  });

  it.each([
    ['a position outside of it', [5, 64], [9, 9]],
    ['more positions than labels', [5, 6], [9]],
  ])('fail when a sequence that was masked beforehand has %s', async (_, positions, labels) => {
    const { plan } = await planOf(packed, {});
    const { input_ids, word_starts } = row(0, 64);
    const { contract, shards } = await datasetOf('masked', [
      {
        input_ids: input_ids!,
        word_starts: word_starts!,
        positions: Uint16Array.from(positions),
        labels: Uint32Array.from(labels),
      },
    ]);
    await expect(take({ ...plan, sequences: { contract, shards } }, 0, 1, thread)).rejects.toMatchObject({
      diagnostic: { code: 'bad-masked-sequence' },
    });
  });

  it.each([
    ['longer than the model takes', { limits: { maxTokens: 63, vocab_size } }, 'sequence-too-long'],
    ['masked by no plan', { plan: planIn('/nowhere') }, 'damaged-mask-plan'],
  ])('fail at once when sequences are %s', async (_, options, code) => {
    const { plan } = await planOf(packed, {}, options);
    await expect(BatchFeed.open(plan, thread)).rejects.toMatchObject({ diagnostic: { code } });
  });

  it('are made only a few steps ahead', async () => {
    const { plan } = await planOf(packed, {});
    const made = vi.spyOn(BatchSource.prototype, 'step');
    const feed = await BatchFeed.open(plan);
    let taken = 0;
    for await (const _ of feed.steps(0, 50)) {
      expect(made.mock.calls.length).toBeLessThanOrEqual(++taken + 3);
      if (taken === 5) break;
    }
    expect(made.mock.calls.length).toBe(8);
    made.mockRestore();
    await feed.close();
  });
});
