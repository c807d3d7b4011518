import { describe, expect, it } from 'vitest';
import { calibrate, meanPmi, PairCounts, surprisal, TokenCounts, tfIdf } from '../../src/masking/importance.ts';

describe('importance', () => {
  it('surprisal is −log p, and 0 for what never occurs', () => {
    const [common, rare, never] = surprisal(Float64Array.of(6, 2, 0));
    expect(common).toBeCloseTo(Math.log(8 / 6), 12);
    expect(rare).toBeCloseTo(Math.log(4), 12);
    expect(never).toBe(0);
  });

  it('tf-idf is highest for a token that is frequent in few sequences', () => {
    const [everywhere, topical, once] = tfIdf(Float64Array.of(10, 10, 1), Float64Array.of(10, 1, 1), 10);
    expect(everywhere).toBe(0);
    expect(topical).toBeCloseTo(10 * Math.log(11 / 2), 12);
    expect(once).toBeCloseTo(Math.log(11 / 2), 12);
  });

  it('pmi is higher in a fixed phrase than between independent tokens', () => {
    // 0 1 always together; 2 and 3 follow each other and themselves at random
    const pairs = new Map([
      [0 * 4 + 1, 100],
      [2 * 4 + 2, 50],
      [2 * 4 + 3, 50],
      [3 * 4 + 2, 50],
      [3 * 4 + 3, 50],
    ]);
    const [a, b, c] = meanPmi(pairs, 4);
    expect(a).toBeCloseTo(Math.log(3), 12);
    expect(b).toBeCloseTo(a!, 12);
    expect(c).toBeCloseTo(Math.log(1.5), 12);
  });

  it('leaves special tokens out of every count', () => {
    const [tokens, pairs] = [new TokenCounts(Uint8Array.of(1, 0, 0)), new PairCounts(Uint8Array.of(1, 0, 0))];
    for (const counter of [tokens, pairs])
      for (const ids of [
        [0, 1, 2, 0, 1],
        [2, 2, 1],
      ])
        counter.add(ids);
    expect([[...tokens.counts], [...tokens.sequencesWith], tokens.sequences]).toEqual([[0, 3, 3], [0, 2, 2], 2]);
    expect([...pairs.pairs]).toEqual([
      [1 * 3 + 2, 1],
      [2 * 3 + 2, 1],
      [2 * 3 + 1, 1],
    ]);
  });
});

describe('calibrate', () => {
  const counts = Float64Array.from({ length: 200 }, (_, id) => Math.ceil(10_000 / (id + 1)));
  const total = counts.reduce((sum, count) => sum + count, 0);

  it.each([
    ['unimportant', 0.15, 1],
    ['important', 0.15, 1],
    ['unimportant', 0.4, 4],
    ['unimportant', 0.01, 20],
    ['unimportant', 0.15, 0],
  ] as const)('keeps the expected share: %s, mlm_probability %f, strength %f', (favour, mlm_probability, strength) => {
    const probability = calibrate(surprisal(counts), counts, { mlm_probability, favour, strength });
    const share = probability.reduce((sum, p, id) => sum + p * counts[id]!, 0) / total;
    expect(share).toBeCloseTo(mlm_probability, 5);
    const rising = probability.every(
      (p, id) => id === 0 || (favour === 'important' ? p >= probability[id - 1]! : p <= probability[id - 1]!),
    );
    expect(rising).toBe(true);
  });
});
