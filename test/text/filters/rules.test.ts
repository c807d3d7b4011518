import { describe, expect, it } from 'vitest';
import { c4Rules, countSentences, keepC4Lines, type C4Thresholds } from '../../../src/text/filters/c4.ts';
import { fineWebRules, type FineWebThresholds } from '../../../src/text/filters/fineweb.ts';
import { gopherQualityRules, type GopherQualityThresholds } from '../../../src/text/filters/gopher-quality.ts';
import { gopherRepetitionRules, type GopherRepetitionThresholds } from '../../../src/text/filters/gopher-repetition.ts';
import { firstReason, Prose } from '../../../src/text/filters/prose.ts';
import { nGramShares } from '../../../src/text/filters/repetition.ts';
import { Tokens } from '../../../src/text/filters/tokens.ts';
import { stageSchema } from '../../rig/stage-schema.ts';
import { englishArticle as en, chineseArticle as zh } from './articles.ts';

interface Property {
  default: unknown;
  properties?: Record<string, Property>;
}
const schema = stageSchema('clean') as { properties: { filters: { properties: Record<string, Property> } } };
const defaults = (group: string): unknown =>
  Object.fromEntries(
    Object.entries(schema.properties.filters.properties[group]!.properties!).map(([name, property]) => [
      name,
      property.default,
    ]),
  );
const repetition = defaults('gopher_repetition') as GopherRepetitionThresholds;
const quality = defaults('gopher_quality') as GopherQualityThresholds;
const c4 = defaults('c4') as C4Thresholds;
const fineweb = defaults('fineweb') as FineWebThresholds;

const lines = (text: string, times: number): string => Array.from({ length: times }, () => text).join('\n');

it.each([
  ['dashes', `${'-'.repeat(200_000)}x${'-'.repeat(200_000)}x`],
  ['full stops', `${'.'.repeat(200_000)}x`],
  ['brackets', `.${')'.repeat(200_000)}x`.repeat(2)],
  ['one Chinese run', '天'.repeat(200_000)],
  ['one word', 'x'.repeat(400_000)],
  ['spaces', `x\n${' '.repeat(200_000)}x`],
  ['blank lines', '\n'.repeat(200_000)],
  ['emoji', '😀'.repeat(100_000)],
])(
  'hostile input takes no long time: %s',
  (_, text) => {
    const start = performance.now();
    const document = new Prose(text, 'zh');
    const reasons = [
      firstReason(gopherRepetitionRules, document, repetition),
      ...gopherQualityRules.map((rule) => rule(document, quality)),
      ...fineWebRules.map((rule) => rule(document, fineweb)),
      ...c4Rules.map((rule) => rule(document, c4)),
    ];
    keepC4Lines(text, { ...c4, require_terminal_punctuation: true });
    expect(performance.now() - start).toBeLessThan(15_000);
    expect(reasons.filter((reason) => reason !== undefined)).not.toEqual([]);
  },
  30_000,
);

describe('nGramShares', () => {
  it('finds the most frequent n-gram and what repeats', () => {
    const shares = nGramShares(new Tokens('a b a b a b c d'), 3, 15);
    expect(shares[1]).toEqual({ top: 9 / 15, duplicate: 4 / 15 }); // `a b` three times, two of them repeats
    expect(shares[2]!.top).toBe(10 / 15); // `a b a` twice
  });
  it('agrees with counting n-grams as strings', () => {
    const words = Array.from(
      { length: 400 },
      (_, n) => 'abcd'[(n * n * 7 + (n >> 3)) % 4]! + (n % 11 === 0 ? 'x' : ''),
    );
    nGramShares(new Tokens(words.join(' ')), 8, 1000).forEach(({ top, duplicate }, index) => {
      const n = index + 1;
      const counts = new Map<string, number>(),
        seen = new Set<string>();
      for (let at = 0; at + n <= words.length; at++)
        counts.set(words.slice(at, at + n).join(' '), (counts.get(words.slice(at, at + n).join(' ')) ?? 0) + 1);
      const most = Math.max(...counts.values());
      let characters = 0;
      for (let at = 0; at + n <= words.length; at++) {
        const gram = words.slice(at, at + n);
        if (seen.has(gram.join(' '))) {
          characters += gram.join('').length;
          at += n - 1;
        } else seen.add(gram.join(' '));
      }
      expect(duplicate).toBeCloseTo(characters / 1000, 12);
      expect(
        [...counts].filter(([, count]) => count === most).map(([gram]) => (most > 1 ? (most * gram.length) / 1000 : 0)),
      ).toContain(top);
    });
  });
  it('is 0 where nothing repeats and for texts shorter than n', () => {
    expect(nGramShares(new Tokens('a b c'), 5, 5)[1]).toEqual({ top: 0, duplicate: 0 });
    expect(nGramShares(new Tokens(''), 2, 0)).toEqual([
      { top: 0, duplicate: 0 },
      { top: 0, duplicate: 0 },
    ]);
  });
});

describe('all rules with their defaults', () => {
  it.each([
    ['English', en, 'en'],
    ['Chinese', zh, 'zh'],
  ])('keep a decent %s article as it is', (_, text, language) => {
    const document = new Prose(text, language);
    expect(firstReason(gopherRepetitionRules, document, repetition)).toBeUndefined();
    expect(firstReason(gopherQualityRules, document, quality)).toBeUndefined();
    expect(keepC4Lines(text, c4)).toBe(text);
    expect(firstReason(c4Rules, document, c4)).toBeUndefined();
    expect(firstReason(fineWebRules, document, fineweb)).toBeUndefined();
  });
});

describe('Gopher repetition', () => {
  it.each([
    ['repeated paragraphs', `${en}\n\n${en}\n\n${en}`, 'en', 'gopher_duplicate_paragraphs'],
    [
      'one long paragraph twice',
      `${en}\n\n${en.split('\n\n')[0]}\n\nOne more.\n\nAnd more.`,
      'en',
      'gopher_duplicate_paragraph_characters',
    ],
    ['repeated lines', `${en}\n${lines('Read more about this.', 12)}`, 'en', 'gopher_duplicate_lines'],
    ['one phrase over and over', `${'big sale '.repeat(30)}${en.slice(0, 500)}`, 'en', 'gopher_top_2_gram'],
    ['a repeated Chinese phrase', `${'特价商品，欢迎选购。'.repeat(30)}${zh.slice(0, 120)}`, 'zh', 'gopher_top_2_gram'],
    [
      'a sentence with one word changed',
      Array.from(
        { length: 30 },
        (_, n) => `The price of item number ${n} can be found on the page that lists all goods.`,
      ).join(' '),
      'en',
      'gopher_top_4_gram',
    ],
  ])('drops %s', (_, text, language, reason) =>
    expect(firstReason(gopherRepetitionRules, new Prose(text, language), repetition)).toBe(reason),
  );
});

describe('Gopher quality', () => {
  const word = 'with the cat and dog that have to be of use here ';
  it.each([
    ['a short document', 'The cat sat on the mat and that was that.', 'en', 'gopher_short'],
    ['a short Chinese document', '我爱北京天安门。', 'zh', 'gopher_short'],
    ['a very long document', word.repeat(9000), 'en', 'gopher_long'],
    ['short words', 'a to be of it '.repeat(20), 'en', 'gopher_mean_word_length'],
    ['long words', 'internationalisation the of counterrevolutionaries '.repeat(20), 'en', 'gopher_mean_word_length'],
    ['hash tags', `${word.repeat(6)}${'#tag '.repeat(12)}`, 'en', 'gopher_hash_ratio'],
    ['ellipses', `${word.repeat(6)}${'and then... '.repeat(14)}`, 'en', 'gopher_ellipsis_ratio'],
    ['a list', lines(`- ${word}`, 6), 'en', 'gopher_bullet_lines'],
    ['teasers', `${lines(`${word.repeat(2)}...`, 4)}`, 'en', 'gopher_ellipsis_lines'],
    ['numbers', `${word.repeat(4)}${'1,234 '.repeat(60)}`, 'en', 'gopher_alphabetic_words'],
    ['symbols between words', `${word.repeat(6)}${'| '.repeat(60)}`, 'en', 'gopher_alphabetic_words'],
    ['keywords only', 'shoes boots sandals trainers slippers '.repeat(12), 'en', 'gopher_stop_words'],
    ['Chinese keywords only', '运动鞋 皮鞋 凉鞋 拖鞋 靴子 '.repeat(12), 'zh', 'gopher_stop_words'],
  ])('drops %s', (_, text, language, reason) =>
    expect(firstReason(gopherQualityRules, new Prose(text, language), quality)).toBe(reason),
  );

  it('has no stop words for other languages and none when switched off', () => {
    const keywords = 'Schuhe Stiefel Sandalen Turnschuhe Pantoffeln '.repeat(12);
    expect(firstReason(gopherQualityRules, new Prose(keywords, 'de'), quality)).toBeUndefined();
    expect(
      firstReason(gopherQualityRules, new Prose(keywords, 'en'), { ...quality, min_stop_words: 0 }),
    ).toBeUndefined();
  });
});

describe('C4', () => {
  it.each([
    ['lorem ipsum', `${en}\n\nLorem ipsum dolor sit amet.`, 'c4_lorem_ipsum'],
    ['a curly bracket', `${en}\n\nThen if (x) { return; } is run.`, 'c4_curly_bracket'],
    ['few sentences', 'One is here. Two is here. Three is here.', 'c4_few_sentences'],
  ])('drops %s', (_, text, reason) => expect(firstReason(c4Rules, new Prose(text, 'en'), c4)).toBe(reason));

  it.each([
    [
      'a line of two words',
      'Good line of words.\nHome About\nAnother good line.',
      'Good line of words.\nAnother good line.',
    ],
    ['JavaScript', 'Please enable JavaScript to go on.\n\nA good line of words.', 'A good line of words.'],
    ['a policy', 'We care: read our Privacy Policy now.\n\n\n\nA good line of words.', 'A good line of words.'],
    ['a Chinese policy', '请阅读我们的隐私政策和说明。\n\n这是一个很好的句子。', '这是一个很好的句子。'],
    ['an endless word', `Good line of words.\nAAA ${'x'.repeat(1001)} word more.`, 'Good line of words.'],
  ])('takes out %s', (_, text, left) => expect(keepC4Lines(text, c4)).toBe(left));

  it('takes a long Chinese paragraph for no endless word', () => {
    const text = zh.replace(/\s/gu, '').repeat(8);
    expect(text.length).toBeGreaterThan(1000);
    expect(keepC4Lines(text, c4)).toBe(text);
  });

  it('asks for terminal punctuation only when told', () => {
    expect(
      keepC4Lines('A line without an end\nA line with an end.', { ...c4, require_terminal_punctuation: true }),
    ).toBe('A line with an end.');
  });

  it.each([
    ['He came. He saw! "He won?" she said.', 4],
    ['Version 3.14 is out', 1],
    ['你好。再见！真的吗？', 3],
    ['no end\n\nno end either', 2],
    ['', 0],
  ])('counts sentences of %j', (text, count) => expect(countSentences(text)).toBe(count));
});

describe('FineWeb', () => {
  const good = 'A line of more than thirty characters that ends well.';
  const different = (count: number, make: (n: number) => string): string =>
    Array.from({ length: count }, (_, n) => make(n)).join('\n');
  it.each([
    [
      'no punctuation at the ends of lines',
      different(10, (n) => `A line of more than thirty characters numbered ${n}`),
      'en',
      'fineweb_punctuated_lines',
    ],
    ['short lines', different(10, (n) => `A short line, the ${n}th.`), 'en', 'fineweb_short_lines'],
    ['short Chinese lines', different(10, (n) => `第${n}行很短。`), 'zh', 'fineweb_short_lines'],
    [
      'a repeated line',
      `${different(20, (n) => `${good} It is the one numbered ${n}.`)}\n${good}\n${good}`,
      'en',
      'fineweb_duplicate_line_characters',
    ],
    [
      'lines of few words',
      different(20, (n) => `Incomprehensibilities${n} ${'x'.repeat(20)}.`),
      'en',
      'fineweb_newline_ratio',
    ],
  ])('drops %s', (_, text, language, reason) =>
    expect(firstReason(fineWebRules, new Prose(text, language), fineweb)).toBe(reason),
  );

  it('allows Chinese lines of more than ten characters', () => {
    const text = different(10, (n) => `这是第${n}行文字，长度超过了十个字。`);
    expect(firstReason(fineWebRules, new Prose(text, 'zh'), fineweb)).toBeUndefined();
    expect(firstReason(fineWebRules, new Prose(text, 'en'), fineweb)).toBe('fineweb_short_lines');
  });
});
