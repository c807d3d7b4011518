import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Packer, type Packing, type Sentence } from '../../src/text/pack.ts';

const bos = 0;
const eos = 2;
/** Sentences of the given lengths, their tokens numbered on from 10; a word begins at every `wordLength`-th token. */
const documentOf = (lengths: readonly number[], wordLength = 2): Sentence[] => {
  let token = 10;
  return lengths.map((length) => ({ ids: Array.from({ length }, () => token++), starts: Array.from({ length: Math.ceil(length / wordLength) }, (_, i) => i * wordLength) }));
};
const pack = (documents: readonly (readonly Sentence[])[], options: { maxLength?: number; minLength?: number; packing?: Packing } = {}) => {
  const packer = new Packer({ maxLength: 10, minLength: 3, packing: 'full-sentences', bos, eos, ...options });
  const sequences = [...documents.flatMap((sentences, ordinal) => [...packer.add(ordinal, sentences)]), ...packer.flush()];
  return { packer, rows: sequences.map((s) => ({ ids: [...s.input_ids], starts: [...s.word_starts], docs: [...s.doc_ids] })) };
};

describe('Packer', () => {
  it.each<[string, Packing, number[][], number[][], number[][]]>([
    ['whole sentences until full', 'full-sentences', [[3, 3, 4]], [[0, 10, 11, 12, 13, 14, 15, 2], [0, 16, 17, 18, 19, 2]], [[0], [0]]],
    ['a separator between documents', 'full-sentences', [[3], [2]], [[0, 10, 11, 12, 2, 10, 11, 2]], [[0, 1]]],
    ['no separator at a sequence end', 'full-sentences', [[7], [2]], [[0, 10, 11, 12, 13, 14, 15, 16, 2], [0, 10, 11, 2]], [[0], [1]]],
    ['documents apart', 'doc-sentences', [[3], [2]], [[0, 10, 11, 12, 2], [0, 10, 11, 2]], [[0], [1]]],
    ['an empty document', 'full-sentences', [[3], [], [2]], [[0, 10, 11, 12, 2, 10, 11, 2]], [[0, 2]]],
    ['a sentence too long, cut at words', 'full-sentences', [[1, 19]], [[0, 10, 2], [0, 11, 12, 13, 14, 15, 16, 17, 18, 2], [0, 19, 20, 21, 22, 23, 24, 25, 26, 2], [0, 27, 28, 29, 2]], [[0], [0], [0], [0]]],
  ])('%s', (_, packing, documents, ids, docs) => {
    const { rows } = pack(documents.map((lengths) => documentOf(lengths)), { packing });
    expect(rows.map((row) => row.ids)).toEqual(ids);
    expect(rows.map((row) => row.docs)).toEqual(docs);
  });

  it('keeps word starts at their tokens', () => {
    const { rows } = pack([documentOf([3]), documentOf([2])]);
    expect(rows[0]!.starts).toEqual([1, 3, 5]);
  });

  it('cuts a long sentence before a word when that is not at the limit', () => {
    const { rows } = pack([documentOf([12], 3)]);
    expect(rows.map((row) => row.ids.length)).toEqual([8, 8]);
    expect(rows.map((row) => row.starts)).toEqual([[1, 4], [1, 4]]);
  });

  it('cuts inside a word that is longer than a sequence', () => {
    const { rows } = pack([documentOf([20], 100)]);
    expect(rows.map((row) => row.ids.length)).toEqual([10, 10, 6]);
    expect(rows.map((row) => row.starts)).toEqual([[1], [], []]);
  });

  it('drops what is too short, and counts it', () => {
    const { rows, packer } = pack([documentOf([1]), documentOf([6])], { packing: 'doc-sentences', minLength: 4 });
    expect(rows).toHaveLength(1);
    expect(packer.dropped).toEqual({ sequences: 1, tokens: 3 });
  });

  it('keeps every token once, in order, in sequences no longer than allowed', () => {
    const documents = fc.array(fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 6 }), { maxLength: 6 });
    fc.assert(fc.property(documents, fc.integer({ min: 3, max: 20 }), fc.constantFrom<Packing>('full-sentences', 'doc-sentences'), fc.integer({ min: 1, max: 4 }), (lengths, maxLength, packing, wordLength) => {
      const input = lengths.map((one) => documentOf(one, wordLength));
      const { rows } = pack(input, { maxLength, packing });
      const ordinary = (ids: readonly number[]): number[] => ids.filter((id) => id >= 10);
      expect(rows.flatMap((row) => ordinary(row.ids))).toEqual(input.flat().flatMap((sentence) => Array.from(sentence.ids)));
      for (const { ids, starts } of rows) {
        expect(ids.length).toBeLessThanOrEqual(maxLength);
        expect([ids[0], ids.at(-1)]).toEqual([bos, eos]);
        expect(ids.some((id, i) => id === eos && ids[i + 1] === eos)).toBe(false);
        expect(starts.every((start, i) => ids[start]! >= 10 && (i === 0 || start > starts[i - 1]!))).toBe(true);
      }
      const starts = rows.flatMap((row) => row.starts.map((start) => row.ids[start]));
      expect(starts).toEqual(input.flat().flatMap((sentence) => sentence.starts.map((start) => sentence.ids[start])));
    }));
  });
});
