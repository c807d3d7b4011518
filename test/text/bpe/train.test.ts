import { describe, expect, it } from 'vitest';
import { alphabet } from '../../../src/text/bpe/bytes.ts';
import { Tokenizer } from '../../../src/text/bpe/encode.ts';
import { trainBpe } from '../../../src/text/bpe/train.ts';

const spellMerges = (counts: Record<string, number>, vocabSize = 1000, minFrequency = 1): string[] => {
  const model = trainBpe(new Map(Object.entries(counts)), { vocabSize, minFrequency });
  return model.merges.map(({ left, right }) => `${model.tokens[left]} ${model.tokens[right]}`);
};

describe('trainBpe', () => {
  it('follows an example worked by hand', () => {
    // hug 10, pug 5, pun 12, bun 4, hugs 5: u+g 20, u+n 16, h+ug 15, then p+un 12
    expect(spellMerges({ hug: 10, pug: 5, pun: 12, bun: 4, hugs: 5 }, 262 + 3)).toEqual(['u g', 'u n', 'h ug', 'p un']);
  });

  it.each([
    ['the pair with the lowest left id', { cd: 3, ab: 3 }, ['a b', 'c d']],
    ['then with the lowest right id', { ac: 3, ab: 3 }, ['a b', 'a c']],
    ['a more frequent pair goes first', { ab: 3, cd: 4 }, ['c d', 'a b']],
    ['pairs that overlap in a run', { aaaa: 2 }, ['a a', 'aa aa']],
    ['a run of odd length', { aaaaa: 1 }, ['a a', 'aa a', 'aa aaa']],
  ])('breaks ties: %s', (_, counts, merges) => {
    expect(spellMerges(counts as Record<string, number>)).toEqual(merges);
  });

  it('stops where pairs are rarer than min_frequency', () => {
    expect(spellMerges({ ab: 2, cd: 1 }, 1000, 2)).toEqual(['a b']);
  });

  it('gives RoBERTa its special ids, with <mask> last', () => {
    const model = trainBpe(new Map([['abab', 9]]), { vocabSize: 262, minFrequency: 1 });
    expect(model.tokens.slice(0, 5)).toEqual(['<s>', '<pad>', '</s>', '<unk>', '!']);
    expect(model.tokens.slice(4, 260)).toEqual(alphabet);
    expect(model.tokens.slice(260)).toEqual(['ab', '<mask>']);
    expect(model.special).toEqual({ bos: 0, pad: 1, eos: 2, unk: 3, mask: 261 });
  });

  it('does not depend on the order of the words', () => {
    const words: [string, number][] = Array.from({ length: 300 }, (_, i) => [
      `w${(i * 7919) % 1000}${(i * 31) % 17}`,
      (i % 5) + 1,
    ]);
    const options = { vocabSize: 400, minFrequency: 2 };
    expect(trainBpe(new Map(words.toReversed()), options)).toEqual(trainBpe(new Map(words), options));
  });

  it('learns nothing from a corpus without pairs, and still encodes any text', () => {
    const tokenizer = new Tokenizer(trainBpe(new Map(), { vocabSize: 300, minFrequency: 2 }));
    expect(tokenizer.vocabSize).toBe(261);
    expect(tokenizer.decode(tokenizer.encode('我爱 Ω\u0000'))).toBe('我爱 Ω\u0000');
  });
});
