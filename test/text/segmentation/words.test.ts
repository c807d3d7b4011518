import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src/text/bpe/encode.ts';
import { trainBpe } from '../../../src/text/bpe/train.ts';
import { pretokenize } from '../../../src/text/bpe/pretokenize.ts';
import {
  autoMarker,
  jiebaSegmenter,
  segmentMarker,
  whitespaceMarker,
  type WordMarker,
} from '../../../src/text/segmentation/words.ts';

const tokenizerOf = (text: string, vocabSize: number): Tokenizer => {
  const counts = new Map<string, number>();
  for (const word of pretokenize(text)) counts.set(word, (counts.get(word) ?? 0) + 2);
  return new Tokenizer(trainBpe(counts, { vocabSize, minFrequency: 2 }));
};
const bytes = tokenizerOf('', 262);

/** The text of each word, as a marker cuts it. */
const words = (tokenizer: Tokenizer, mark: WordMarker, text: string): string[] => {
  const ids = tokenizer.encode(text);
  const starts = mark(text, ids);
  expect(starts[0]).toBe(0);
  return starts.map((start, i) => tokenizer.decode(ids.subarray(start, starts[i + 1])));
};

const english = "We don't like (cold) tea, do we? Isn't it 3.5";
describe.each([
  ['bytes', bytes],
  ['merged tokens', tokenizerOf(english, 400)],
])('whitespace words over %s', (name, tokenizer) => {
  it('cuts before spaces and around punctuation', () => {
    expect(words(tokenizer, whitespaceMarker(tokenizer), 'We like (cold) tea, do we?')).toEqual([
      'We',
      ' like',
      ' (',
      'cold',
      ')',
      ' tea',
      ',',
      ' do',
      ' we',
      '?',
    ]);
  });

  it('keeps a contraction with its word when it is one token', () => {
    expect(words(tokenizer, whitespaceMarker(tokenizer), "Isn't it")).toEqual(
      name === 'bytes' ? ['Isn', "'t", ' it'] : ["Isn't", ' it'],
    );
  });
});

const chinese = '我爱北京天安门';
describe('jieba words', async () => {
  const segment = await jiebaSegmenter();
  it.each([
    ['bytes', bytes, chinese, ['我', '爱', '北京', '天安门']],
    ['a token per character', tokenizerOf([...chinese].join('\n'), 400), chinese, ['我', '爱', '北京', '天安门']],
    ['one token for all', tokenizerOf(chinese, 400), chinese, [chinese]],
    ['with spaces and Latin words', bytes, '我爱 New York 北京', ['我', '爱', ' New', ' York', ' 北京']],
    ['after a line break', bytes, '北京\n我', ['北京', '\n', '我']],
  ])('%s', (_, tokenizer, text, expected) => {
    expect(words(tokenizer, segmentMarker(tokenizer, segment), text)).toEqual(expected);
  });

  it('auto tells the scripts apart', () => {
    const mark = autoMarker(bytes, segment);
    expect(words(bytes, mark, chinese)).toHaveLength(4);
    expect(words(bytes, mark, 'plain words')).toEqual(['plain', ' words']);
  });

  it('gives no start for an empty text', () => {
    expect(segmentMarker(bytes, segment)('', bytes.encode(''))).toEqual([]);
  });
});
