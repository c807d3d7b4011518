import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { segment } from '../../../src/text/filters/segment.ts';
import { Tokens } from '../../../src/text/filters/tokens.ts';
import { hasWords, runsOf } from '../../../src/text/filters/words.ts';
import { chineseArticle, englishArticle } from './articles.ts';

const strings = (tokens: Tokens): string[] => Array.from({ length: tokens.count }, (_, index) => tokens.at(index));

// The same as regular expressions, which are slow and easily read.
const unspacedRun =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;
const spacedToken =
  /https?:\/\/\S+|www\.\S+|\b(?:Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|Inc|Co|Corp|Ltd|vs|etc)\.|(?<![\p{L}\p{N}])(?:\p{L}\.)+|\p{N}[\p{L}\p{N}]*(?:[.,:]\p{N}+)*|[\p{L}\p{M}\p{N}_]+(?:[.@][\p{L}\p{N}_]+)*|['’]\p{L}{1,2}(?![\p{L}\p{N}])|\.{2,}|-{2,}|\S/gu;

function byExpression(text: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const run of text.matchAll(unspacedRun)) {
    tokens.push(
      ...(text.slice(end, run.index).match(spacedToken) ?? []),
      ...segment(run[0], /^\p{Script=Han}+$/u.test(run[0])),
    );
    end = run.index + run[0].length;
  }
  return [...tokens, ...(text.slice(end).match(spacedToken) ?? [])];
}

const pieces = fc.constantFrom(
  ...'a b X é I M ß Ω ж 1 23 4 ٣ Ⅳ \u0301 _ . . .. ... , : - -- --- @ # \' ’ " ( ) / ! … % \n \t \u00a0 \u3000'.split(
    ' ',
  ),
  ' ',
  ' ',
  ' ',
  'Mr',
  'Mrs',
  'Dr',
  'St',
  'Inc',
  'Co',
  'Corp',
  'vs',
  'etc',
  'h',
  'http://',
  'https://',
  'https:/',
  'www.',
  'w',
  'U.S.',
  "'s",
  "'ll",
  "n't",
  'word',
  'Word_2',
  '天',
  '京',
  '々',
  '〇',
  '⼀',
  'の',
  'カ',
  'ー',
  'ไทย',
  '๑',
  'ລາວ',
  '\u{20000}',
  '\u{1f600}',
  '\u{1d400}',
  '\u{1d7ce}',
  '\u{1e900}',
  '\u{1f200}',
  '\ud83d',
  '\ude00',
);

describe('Tokens', () => {
  it.each([
    [
      'words, marks and contractions',
      "The dog's tail, (well) -- wagged...",
      ['The', 'dog', "'s", 'tail', ',', '(', 'well', ')', '--', 'wagged', '...'],
      6,
    ],
    [
      'abbreviations, numbers, addresses and hyphens',
      'Dr. J. Smith of the U.S. paid 1,234.50 for the 20th at https://a.org/b?c=d, half-price',
      [
        'Dr.',
        'J.',
        'Smith',
        'of',
        'the',
        'U.S.',
        'paid',
        '1,234.50',
        'for',
        'the',
        '20th',
        'at',
        'https://a.org/b?c=d,',
        'half',
        '-',
        'price',
      ],
      15,
    ],
    ['Chinese', '我爱北京天安门。', ['我', '爱', '北京', '天安门', '。'], 4],
    ['both', '我在 Oxford 大学读NLP论文', ['我', '在', 'Oxford', '大学', '读', 'NLP', '论文'], 7],
    ['Japanese', '東京に行く', ['東京', 'に', '行く'], 3],
    ['nothing', ' \n ', [], 0],
  ])('%s', (_, text, expected, words) => {
    const tokens = new Tokens(text);
    expect(strings(tokens)).toEqual(expected);
    expect(tokens.words).toBe(words);
  });

  it('cuts as its regular expressions do, whatever stands together', () => {
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 60 }), (all) => {
        const text = all.join(''),
          tokens = new Tokens(text),
          expected = byExpression(text);
        const words = expected.filter((token) => /[\p{L}\p{M}\p{N}]/u.test(token));
        expect(strings(tokens)).toEqual(expected);
        expect([tokens.words, tokens.wordCharacters, tokens.alphabetic]).toEqual([
          words.length,
          words.join('').length,
          words.filter((word) => /\p{L}/u.test(word)).length,
        ]);
        const runs = text.match(/\S+/gu) ?? [],
          hasUnspaced = text.search(unspacedRun) >= 0;
        expect(runsOf(`a ${text}\nb`, 2, 2 + text.length)).toEqual({
          count: runs.length,
          longest: Math.max(0, ...runs.map((run) => run.length)),
          hasUnspaced,
        });
        const counted = hasUnspaced ? words.length : runs.length;
        expect([1, counted, counted + 1].map((least) => hasWords(text, runsOf(text, 0, text.length), least))).toEqual([
          counted >= 1,
          true,
          false,
        ]);
      }),
      { numRuns: 3000 },
    );
  });

  it.each([
    ['any code units', fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit))],
    ['any characters', fc.string({ unit: 'binary', maxLength: 3 })],
  ])('cuts %s so', (_, parts) => {
    fc.assert(
      fc.property(fc.array(parts, { maxLength: 80 }), (all) => {
        expect(strings(new Tokens(all.join('')))).toEqual(byExpression(all.join('')));
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['English', englishArticle],
    ['Chinese', chineseArticle],
    ['odd', '1.5Dr. 2.5M. b'],
  ])('cuts an %s article so', (_, text) => {
    expect(strings(new Tokens(text))).toEqual(byExpression(text));
  });

  it('stops at as many words as are asked for', () => {
    expect(strings(new Tokens('one, two, three', 2))).toEqual(['one', ',', 'two']);
    expect(strings(new Tokens('我爱北京天安门', 3))).toEqual(['我', '爱', '北京']);
  });
});
