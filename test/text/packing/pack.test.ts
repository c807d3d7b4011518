import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Packer, type PairPacking, type Packing as AnyPacking, type Sentence } from '../../../src/text/packing/pack.ts';
import { PairPacker } from '../../../src/text/packing/pack-pairs.ts';

type Packing = Exclude<AnyPacking, PairPacking>;

const bos = 0;
const eos = 2;
/** Sentences of the given lengths, their tokens numbered on from 10; a word begins at every `wordLength`-th token. */
const documentOf = (lengths: readonly number[], wordLength = 2): Sentence[] => {
  let token = 10;
  return lengths.map((length) => ({
    ids: Array.from({ length }, () => token++),
    starts: Array.from({ length: Math.ceil(length / wordLength) }, (_, i) => i * wordLength),
  }));
};
const pack = (
  documents: readonly (readonly Sentence[])[],
  options: { maxLength?: number; minLength?: number; packing?: Packing } = {},
) => {
  const packer = new Packer({ maxLength: 10, minLength: 3, packing: 'full-sentences', bos, eos, ...options });
  const sequences = [
    ...documents.flatMap((sentences, ordinal) => [...packer.add(ordinal, sentences)]),
    ...packer.flush(),
  ];
  return {
    packer,
    rows: sequences.map((s) => ({ ids: [...s.input_ids], starts: [...s.word_starts], docs: [...s.doc_ids] })),
  };
};

describe('Packer', () => {
  it.each<[string, Packing, number[][], number[][], number[][]]>([
    [
      'whole sentences until full',
      'full-sentences',
      [[3, 3, 4]],
      [
        [0, 10, 11, 12, 13, 14, 15, 2],
        [0, 16, 17, 18, 19, 2],
      ],
      [[0], [0]],
    ],
    ['a separator between documents', 'full-sentences', [[3], [2]], [[0, 10, 11, 12, 2, 10, 11, 2]], [[0, 1]]],
    [
      'no separator at a sequence end',
      'full-sentences',
      [[7], [2]],
      [
        [0, 10, 11, 12, 13, 14, 15, 16, 2],
        [0, 10, 11, 2],
      ],
      [[0], [1]],
    ],
    [
      'documents apart',
      'doc-sentences',
      [[3], [2]],
      [
        [0, 10, 11, 12, 2],
        [0, 10, 11, 2],
      ],
      [[0], [1]],
    ],
    ['an empty document', 'full-sentences', [[3], [], [2]], [[0, 10, 11, 12, 2, 10, 11, 2]], [[0, 2]]],
    [
      'a sentence too long, cut at words',
      'full-sentences',
      [[1, 19]],
      [
        [0, 10, 2],
        [0, 11, 12, 13, 14, 15, 16, 17, 18, 2],
        [0, 19, 20, 21, 22, 23, 24, 25, 26, 2],
        [0, 27, 28, 29, 2],
      ],
      [[0], [0], [0], [0]],
    ],
  ])('%s', (_, packing, documents, ids, docs) => {
    const { rows } = pack(
      documents.map((lengths) => documentOf(lengths)),
      { packing },
    );
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
    expect(rows.map((row) => row.starts)).toEqual([
      [1, 4],
      [1, 4],
    ]);
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
    fc.assert(
      fc.property(
        documents,
        fc.integer({ min: 3, max: 20 }),
        fc.constantFrom<Packing>('full-sentences', 'doc-sentences'),
        fc.integer({ min: 1, max: 4 }),
        (lengths, maxLength, packing, wordLength) => {
          const input = lengths.map((one) => documentOf(one, wordLength));
          const { rows } = pack(input, { maxLength, packing });
          const ordinary = (ids: readonly number[]): number[] => ids.filter((id) => id >= 10);
          expect(rows.flatMap((row) => ordinary(row.ids))).toEqual(
            input.flat().flatMap((sentence) => Array.from(sentence.ids)),
          );
          for (const { ids, starts } of rows) {
            expect(ids.length).toBeLessThanOrEqual(maxLength);
            expect([ids[0], ids.at(-1)]).toEqual([bos, eos]);
            expect(ids.some((id, i) => id === eos && ids[i + 1] === eos)).toBe(false);
            expect(starts.every((start, i) => ids[start]! >= 10 && (i === 0 || start > starts[i - 1]!))).toBe(true);
          }
          const starts = rows.flatMap((row) => row.starts.map((start) => row.ids[start]));
          expect(starts).toEqual(
            input.flat().flatMap((sentence) => sentence.starts.map((start) => sentence.ids[start])),
          );
        },
      ),
    );
  });
});

describe('PairPacker', () => {
  /** Documents whose tokens tell where they are: document, sentence, token. */
  const placed = (lengths: readonly (readonly number[])[]): Sentence[][] =>
    lengths.map((sentences, d) =>
      sentences.map((length, i) => ({
        ids: Array.from({ length }, (_, t) => 1_000_000 * (d + 1) + 1000 * i + t),
        starts: [0],
      })),
    );
  const pairs = (
    documents: readonly (readonly Sentence[])[],
    options: { maxLength?: number; minLength?: number; packing?: PairPacking; windowTokens?: number } = {},
  ) => {
    const packer = new PairPacker({ maxLength: 40, minLength: 3, packing: 'segment-pair', bos, eos, ...options });
    const sequences = [
      ...documents.flatMap((sentences, ordinal) => [...packer.add(ordinal, sentences)]),
      ...packer.flush(),
    ];
    const rows = sequences.map(({ input_ids, word_starts, doc_ids, next_sentence_label }) => {
      const ids = [...input_ids];
      const middle = ids.indexOf(eos);
      return {
        ids,
        a: ids.slice(1, middle),
        b: ids.slice(middle + 2, -1),
        starts: [...word_starts],
        docs: [...doc_ids],
        label: next_sentence_label,
      };
    });
    return { packer, rows };
  };
  const docOf = (id: number): number => Math.floor(id / 1_000_000) - 1;
  const book = placed(Array.from({ length: 30 }, (_, d) => Array.from({ length: 100 }, (__, i) => 2 + ((d + i) % 9))));

  it.each<[PairPacking, number]>([
    ['segment-pair', 40],
    ['sentence-pair', 40],
    ['segment-pair', 512],
  ])('%s of up to %d tokens: half are of two documents, and the label says which', (packing, maxLength) => {
    const { rows } = pairs(book, { packing, maxLength });
    const random = rows.filter(({ label }) => label === 1).length;
    // the last sentence of each document may have to be
    expect(Math.abs(random / rows.length - 0.5)).toBeLessThan(3 * Math.sqrt(0.25 / rows.length) + 30 / rows.length);
    for (const { ids, a, b, docs, label } of rows) {
      expect([ids[0], ids.at(-1), ids.filter((id) => id === eos).length]).toEqual([bos, eos, 3]);
      expect(ids.length).toBeLessThanOrEqual(maxLength);
      expect(a.length * b.length).toBeGreaterThan(0);
      expect(new Set(a.map(docOf)).size + new Set(b.map(docOf)).size).toBe(2);
      expect(docs).toEqual(label === 0 ? [docOf(a[0]!)] : [docOf(a[0]!), docOf(b[0]!)]);
      if (label === 1) expect(docOf(a[0]!)).not.toBe(docOf(b[0]!));
      // the next sentence of the same document
      else expect(Math.floor(b[0]! / 1000)).toBe(Math.floor(a.at(-1)! / 1000) + 1);
      if (packing === 'sentence-pair') expect(new Set([...a, ...b].map((id) => Math.floor(id / 1000))).size).toBe(2);
    }
  });

  it('segments are filled as far as whole sentences go', () => {
    const { rows } = pairs(book, { maxLength: 128 });
    const following = rows
      .filter(({ label }) => label === 0)
      .map(({ ids }) => ids.length)
      .sort((x, y) => x - y);
    expect(following[following.length >> 1]).toBeGreaterThan(118); // a document's last pair has what is left
  });

  it('has every token of every document once as its own, word starts at their tokens', () => {
    const shape = fc.array(fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 }), {
      minLength: 2,
      maxLength: 6,
    });
    fc.assert(
      fc.property(
        shape,
        fc.integer({ min: 8, max: 30 }),
        fc.constantFrom<PairPacking>('segment-pair', 'sentence-pair'),
        fc.integer({ min: 1, max: 200 }),
        (lengths, maxLength, packing, windowTokens) => {
          const documents = placed(lengths);
          const { rows, packer } = pairs(documents, { maxLength, packing, windowTokens });
          const own = rows.flatMap(({ a, b, label }) => (label === 0 ? [...a, ...b] : a));
          expect(own.length + (packer.dropped.tokens - 4 * packer.dropped.sequences)).toBe(
            documents.flat().reduce((sum, { ids }) => sum + ids.length, 0),
          );
          expect(new Set(own).size).toBe(own.length);
          for (const { ids, starts } of rows) {
            expect(ids.length).toBeLessThanOrEqual(maxLength);
            expect(starts.every((start, i) => ids[start]! % 1000 === 0 && (i === 0 || start > starts[i - 1]!))).toBe(
              true,
            );
          }
        },
      ),
    );
  });

  it('is the same each time', () => expect(pairs(book).rows).toEqual(pairs(book).rows));

  it.each<PairPacking>(['segment-pair', 'sentence-pair'])(
    '%s: of one document alone, half have a second half from elsewhere in it',
    (packing) => {
      const { rows } = pairs(placed([Array.from({ length: 500 }, (_, i) => 2 + (i % 9))]), { packing });
      const random = rows.filter(({ label }) => label === 1);
      expect(Math.abs(random.length / rows.length - 0.5)).toBeLessThan(3 * Math.sqrt(0.25 / rows.length));
      for (const { a, b, docs } of random) {
        expect(docs).toEqual([0]);
        expect(Math.floor(b[0]! / 1000)).not.toBe(Math.floor(a.at(-1)! / 1000) + 1);
        expect(b.some((id) => a.includes(id))).toBe(false);
      }
    },
  );

  it('a sentence alone has no other to go with', () => {
    const { rows, packer } = pairs(placed([[5]]), { packing: 'sentence-pair' });
    expect(rows).toEqual([]);
    expect(packer.dropped).toEqual({ sequences: 1, tokens: 9 });
  });
});
