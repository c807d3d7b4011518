import { describe, expect, it } from 'vitest';
import { NearDuplicates } from '../../../src/text/minhash/near-duplicates.ts';
import { bandCount, MinHasher, rowsPerBand, signatureLength } from '../../../src/text/minhash/signature.ts';
import { CompactHasher, rowWords, type CompactSignature } from '../../../src/text/minhash/text-signature.ts';
import { KeyedRandom } from '../../../src/text/random.ts';

const random = new KeyedRandom(7);
const randomWords = (count: number): string[] =>
  Array.from(
    { length: count },
    () =>
      `w${random
        .below(20_000)
        .toString(36)
        .replace(/\d/gu, (digit) => 'klmnopqrst'[Number(digit)]!)}`,
  );
const shingles = (words: readonly string[]): Set<string> =>
  new Set(words.slice(4).map((_, at) => words.slice(at, at + 5).join(' ')));
const jaccard = (a: readonly string[], b: readonly string[]): number => {
  const setA = shingles(a),
    setB = shingles(b);
  const common = [...setA].filter((shingle) => setB.has(shingle)).length;
  return common / (setA.size + setB.size - common);
};
/** A copy in which this many words, evenly spread, are replaced. */
const edited = (words: readonly string[], edits: number): string[] => {
  const copy = [...words];
  for (let edit = 0; edit < edits; edit++)
    copy[Math.floor(((edit + 0.5) * words.length) / edits)] = `edit${'x'.repeat(edit)}`;
  return copy;
};

const hasher = new MinHasher();
const compactHasher = new CompactHasher();
function roots(texts: readonly string[], minSimilarity = 0.7, groups?: readonly number[]): number[] {
  const table = new NearDuplicates(texts.length);
  texts.forEach((text, document) => {
    const signature = compactHasher.sign(text);
    if (signature) table.set(document, signature);
  });
  return [...table.cluster(Uint32Array.from(texts.keys()), minSimilarity, groups && ((document) => groups[document]!))];
}

describe('MinHasher', () => {
  it.each([
    [
      'case, digits, punctuation and diacritics',
      'The naïve Café opened in 1999, on day 12.',
      'the naive cafe — opened in 2024 on day 31',
      true,
    ],
    ['another word', 'one two three four five six seven', 'one two three four five six eight', false],
    ['the order of words', 'one two three four five', 'five four three two one', false],
    ['Chinese by character, whatever is between', '我爱北京天安门。', '我爱，北京天安门', true],
    ['another Chinese character', '我爱北京天安门', '我爱南京天安门', false],
    ['letters beyond the basic plane', '𐐀𐐁 𐐂', '𐐀𐐁 𐐃', false],
    ['few words', 'Hello, world', 'hello world!', true],
  ])('%s', (_, a, b, equal) => {
    const signature = [...hasher.sign(a)!];
    expect(signature.every((value, row) => value === hasher.sign(b)![row])).toBe(equal);
  });

  it('has no signature of a text without words', () =>
    expect(['', ' \n', '— … !'].map((text) => hasher.sign(text))).toEqual([undefined, undefined, undefined]));

  it('estimates the Jaccard similarity', () => {
    for (const edits of [2, 5, 10, 20, 40]) {
      let error = 0,
        squares = 0;
      for (let n = 0; n < 60; n++) {
        const words = randomWords(300),
          copy = edited(words, edits);
        const a = [...hasher.sign(words.join(' '))!],
          b = hasher.sign(copy.join(' '))!;
        const difference = a.filter((value, row) => value === b[row]).length / signatureLength - jaccard(words, copy);
        error += difference / 60;
        squares += difference ** 2 / 60;
      }
      expect(Math.abs(error), `${edits} edits: bias`).toBeLessThan(0.03);
      expect(Math.sqrt(squares), `${edits} edits: deviation`).toBeLessThan(0.07); // √(s(1−s)/112) is at most 0.047
    }
  });
});

describe('NearDuplicates', () => {
  const planted = (edits: number): { texts: string[]; similarity: number; found: number } => {
    let similarity = 0;
    const texts = Array.from({ length: 200 }, () => {
      const words = randomWords(400),
        copy = edited(words, edits);
      similarity += jaccard(words, copy) / 200;
      return [words.join(' '), copy.join(' ')];
    }).flat();
    return { texts, similarity, found: roots(texts).filter((root, place) => root !== place).length };
  };

  it('finds nine tenths of pairs at a similarity of 0.85', () => {
    const { similarity, found } = planted(6);
    expect(similarity).toBeGreaterThan(0.84);
    expect(similarity).toBeLessThan(0.875);
    expect(found).toBeGreaterThan(180);
  });

  it('takes no pair under a similarity of 0.5 for duplicates', () => {
    const { similarity, found } = planted(28);
    expect(similarity).toBeGreaterThan(0.45);
    expect(similarity).toBeLessThan(0.5);
    expect(found).toBe(0);
  });

  const family = [randomWords(200), randomWords(200)].flatMap((words) =>
    [words, edited(words, 1), edited(words, 2)].map((copy) => copy.join(' ')),
  );
  it('puts clusters together under their first member', () => expect(roots(family)).toEqual([0, 0, 0, 3, 3, 3]));
  it('leaves alone what is in other groups', () =>
    expect(roots(family, 0.7, [0, 1, 0, 0, 0, 0])).toEqual([0, 1, 0, 3, 3, 3]));
  it('leaves alone what is less alike than asked for', () => expect(roots(family, 1)).toEqual([0, 1, 2, 3, 4, 5]));

  it('takes no quadratic time over many documents alike in a band only', () => {
    const table = new NearDuplicates(40_000);
    const signature: CompactSignature = { bands: new Uint32Array(bandCount), rows: new Uint32Array(rowWords) };
    for (let document = 0; document < 40_000; document++) {
      for (let word = 0; word < rowWords; word++)
        signature.rows[word] = word < rowsPerBand / 4 ? word : random.below(2 ** 32);
      for (let band = 0; band < bandCount; band++) signature.bands[band] = band === 0 ? 7 : random.below(2 ** 32);
      table.set(document, signature);
    }
    expect(
      new Set(
        table.cluster(
          Uint32Array.from({ length: 40_000 }, (_, n) => n),
          0.7,
        ),
      ).size,
    ).toBe(40_000);
  }, 30_000);
});
