import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMaskPlan, maskSequence, mlmProbabilityAt, type MaskSettings } from '../../src/masking/masking.ts';
import { maskSettings } from '../rig/masked.ts';

const vocabSize = 1000;
const settings = maskSettings(vocabSize, { seed: 42 });
const plan = (change: Partial<MaskSettings> = {}, probability?: Float32Array) =>
  createMaskPlan({ ...settings, ...change }, probability);
const sequence = (length: number): Uint32Array =>
  Uint32Array.from({ length }, (_, i) => (i === 0 ? 0 : i === length - 1 ? 2 : 4 + ((i * 37) % 990)));
const isSpecial = (id: number): boolean => settings.special_ids.includes(id);

const anySequence = fc.array(fc.integer({ min: 0, max: vocabSize - 1 }), { maxLength: 200 });

describe('maskSequence', () => {
  it('chooses exactly ⌊mlm_probability·n⌋ or one more, never a special token, and labels what was there', () => {
    fc.assert(
      fc.property(
        anySequence,
        fc.integer({ min: 0 }),
        fc.integer({ min: 0 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        fc.constantFrom(1, 2, 10),
        (ids, epoch, index, mlm_probability, max_span_length) => {
          const { input_ids, positions, labels } = maskSequence(
            plan({ mlm_probability, max_span_length }),
            ids,
            [],
            epoch,
            index,
          );
          const exact = mlm_probability * ids.filter((id) => !isSpecial(id)).length;
          expect([Math.floor(exact), Math.floor(exact) + 1]).toContain(positions.length);
          expect([...new Set(positions)].sort((a, b) => a - b)).toEqual([...positions]);
          expect([...labels]).toEqual([...positions].map((position) => ids[position]));
          expect([...labels].some(isSpecial)).toBe(false);
          const chosen = new Set(positions);
          input_ids.forEach((id, i) => {
            if (!chosen.has(i)) expect(id).toBe(ids[i]);
            else if (id !== settings.mask_id) expect(isSpecial(id)).toBe(false);
          });
        },
      ),
    );
  });

  it('is a pure function of plan, sequence, epoch and index', () => {
    fc.assert(
      fc.property(
        anySequence,
        fc.nat(),
        fc.nat(),
        fc.boolean(),
        fc.constantFrom(1, 10),
        (ids, epoch, index, whole_word, max_span_length) => {
          const input = Uint32Array.from(ids);
          const first = maskSequence(plan({ whole_word, max_span_length }), input, [0, 3, 4], epoch, index);
          maskSequence(plan(), input, [], epoch + 1, index); // other calls in between change nothing
          expect(maskSequence(plan({ whole_word, max_span_length }), input, [0, 3, 4], epoch, index)).toEqual(first);
          expect([...input]).toEqual(ids);
        },
      ),
    );
  });

  it.each([
    ['seed', plan({ seed: 43 }), 0, 0],
    ['seed beyond 32 bits', plan({ seed: 42 + 2 ** 32 }), 0, 0],
    ['epoch', plan(), 1, 0],
    ['index', plan(), 0, 1],
  ])('gives another pattern for another %s', (_, other, epoch, index) => {
    const ids = sequence(512);
    expect(maskSequence(other, ids, [], epoch, index).positions).not.toEqual(
      maskSequence(plan(), ids, [], 0, 0).positions,
    );
  });

  it.each([
    ['tokens', plan(), []],
    ['whole words', plan({ whole_word: true }), [...Array(512).keys()].filter((i) => i % 7 < 3)],
    [
      'importance',
      plan(
        { mode: 'importance' },
        Float32Array.from({ length: vocabSize }, (_, id) => 0.01 + 0.5 * (id / vocabSize)),
      ),
      [],
    ],
    [
      'whole words by importance',
      plan(
        { mode: 'importance', whole_word: true },
        Float32Array.from({ length: vocabSize }, (_, id) => 0.01 + 0.5 * (id / vocabSize)),
      ),
      [...Array(512).keys()].filter((i) => i % 5 < 2),
    ],
    ['spans', plan({ max_span_length: 10 }), []],
    [
      'spans of whole words by importance',
      plan(
        { mode: 'importance', whole_word: true, max_span_length: 10 },
        Float32Array.from({ length: vocabSize }, (_, id) => 0.01 + 0.5 * (id / vocabSize)),
      ),
      [...Array(512).keys()].filter((i) => i % 5 < 2),
    ],
  ])('masks the set share within 4 sigma, 80/10/10: %s', (_, chosen, starts) => {
    const ids = sequence(130);
    const rounds = 3000;
    const draws: number[] = [];
    let masks = 0;
    let kept = 0;
    for (let epoch = 0; epoch < rounds; epoch++) {
      const { input_ids, positions, labels } = maskSequence(chosen, ids, starts, epoch, 0);
      draws.push(positions.length);
      positions.forEach((position, i) => {
        if (input_ids[position] === settings.mask_id) masks++;
        else if (input_ids[position] === labels[i]) kept++;
      });
    }
    const total = draws.reduce((sum, n) => sum + n, 0);
    const mean = total / rounds;
    const sigma = Math.sqrt(draws.reduce((sum, n) => sum + (n - mean) ** 2, 0) / rounds / rounds);
    expect(Math.abs(mean - 0.15 * 128)).toBeLessThan(4 * sigma);
    const near = (count: number, share: number): void =>
      expect(Math.abs(count / total - share)).toBeLessThan(4 * Math.sqrt((share * (1 - share)) / total));
    near(masks, 0.8);
    near(kept, 0.1 + 0.1 / 995);
  });

  it('chooses every position equally often', () => {
    const ids = sequence(34);
    const hits = new Float64Array(34);
    const rounds = 20_000;
    for (let index = 0; index < rounds; index++)
      for (const position of maskSequence(plan({ mlm_probability: 0.25 }), ids, [], 0, index).positions)
        hits[position]!++;
    expect([hits[0], hits[33]]).toEqual([0, 0]);
    for (const count of hits.subarray(1, 33))
      expect(Math.abs(count / rounds - 0.25)).toBeLessThan(4 * Math.sqrt((0.25 * 0.75) / rounds));
  });

  it('never splits a word', () => {
    const ids = Uint32Array.from([0, 10, 11, 12, 13, 2, 14, 15, 16, 2]);
    const words = [[1, 2], [3, 4], [6], [7, 8]]; // position 6 begins no word, but follows </s>
    for (let epoch = 0; epoch < 1000; epoch++) {
      const chosen = new Set(
        maskSequence(
          plan({ whole_word: true, mlm_probability: 0.4, max_span_length: 1 + (epoch % 3) }),
          ids,
          [1, 3, 7],
          epoch,
          0,
        ).positions,
      );
      for (const word of words)
        expect([0, word.length]).toContain(word.filter((position) => chosen.has(position)).length);
    }
  });

  it('draws spans as long as SpanBERT has them, never across a special token', () => {
    const ids = sequence(20_000).map((id, i) => (i % 500 === 0 ? 2 : id));
    const lengths: number[] = [];
    for (let index = 0; index < 200; index++) {
      // So few positions that spans hardly ever touch: a run of neighbours is a span.
      const { positions } = maskSequence(
        plan({ mlm_probability: 0.005, max_span_length: 10, span_p: 0.2 }),
        ids,
        [],
        0,
        index,
      );
      positions.forEach((position, i) => {
        if (position === positions[i - 1]! + 1) lengths[lengths.length - 1]!++;
        else lengths.push(1);
      });
    }
    const share = (is: (length: number) => boolean): number => lengths.filter(is).length / lengths.length;
    expect(lengths.reduce((sum, length) => sum + length, 0) / lengths.length).toBeCloseTo(3.8, 0);
    expect(Math.abs(share((length) => length === 1) - 0.2 / (1 - 0.8 ** 10))).toBeLessThan(0.03);
    expect(share((length) => length > 10)).toBeLessThan(0.01);
  });

  it('masks tokens in the order of their probability', () => {
    const probability = new Float32Array(vocabSize).fill(0.15);
    const ladder = [0.02, 0.08, 0.15, 0.3, 0.6];
    const ids = Uint32Array.from({ length: 100 }, (_, i) => 4 + (i % 5));
    ladder.forEach((p, i) => (probability[4 + i] = p));
    const hits = new Float64Array(5);
    const rounds = 4000;
    const mlm_probability = ladder.reduce((sum, p) => sum + p, 0) / 5;
    for (let index = 0; index < rounds; index++)
      for (const position of maskSequence(plan({ mode: 'importance', mlm_probability }, probability), ids, [], 0, index)
        .positions)
        hits[position % 5]!++;
    // Pareto sampling keeps each token's own probability, not only the order.
    hits.forEach((count, i) => expect(Math.abs(count / (rounds * 20) - ladder[i]!)).toBeLessThan(0.01));
  });
});

it.each([
  ['constant', {}, 5, 0.15],
  ['begins at mlm_probability', { mlm_probability: 0.3, mlm_probability_end: 0.15, epochs: 4 }, 0, 0.3],
  ['half way', { mlm_probability: 0.3, mlm_probability_end: 0.15, epochs: 4 }, 1.5, 0.225],
  ['ends at mlm_probability_end', { mlm_probability: 0.3, mlm_probability_end: 0.15, epochs: 4 }, 3, 0.15],
  ['stays there', { mlm_probability: 0.3, mlm_probability_end: 0.15, epochs: 4 }, 9, 0.15],
])('mlmProbabilityAt: %s', (_, change, epoch, mlm_probability) => {
  expect(mlmProbabilityAt({ ...settings, ...change }, epoch)).toBeCloseTo(mlm_probability, 12);
});
