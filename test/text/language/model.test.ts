import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eld } from 'eld/large';
import fc from 'fast-check';
import { globSync } from 'tinyglobby';
import { beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../../src/core/package-root.ts';
import { LanguageModel } from '../../../src/text/language/model.ts';
import { decodeModel, encodeModel } from '../../../src/text/language/model-file.ts';
import { highOf, lowOf } from '../../../src/text/language/ngram-table.ts';
import { KeyedRandom } from '../../../src/text/random.ts';
import { root } from '../../rig/project.ts';
import { sharedData, sharedDataMissing } from '../../rig/shared-data.ts';
import { absent } from '../../rig/skipped.ts';
import { sentences } from './sentences.ts';

const ourFiles = ['samples/books/*.txt', 'samples/*/*.tsv', 'test/fixtures/*/*.{txt,xml}'];
const realFiles = ['text/*.txt', 'books/*.txt', 'chinese/*.json', 'tasks/*-dev.tsv'];

/** What `npm run build` made of the package. */
const bytes = readFileSync(join(packageRoot, 'dist/language-model.bin'));
const data = decodeModel(bytes);

let model: LanguageModel;
beforeAll(async () => {
  model = await LanguageModel.load();
}, 60_000);

interface Told {
  readonly language: string;
  readonly scores: Readonly<Record<string, number>>;
  readonly isReliable: boolean;
}

function ours(text: string): Told {
  const language = model.read(text);
  const scores = model.languages.flatMap((code, id): [string, number][] =>
    model.means[id]! > 0 ? [[code, model.scaled(id)]] : [],
  );
  return {
    language: model.languages[language] ?? '',
    scores: Object.fromEntries(scores),
    isReliable: language >= 0 && model.isReliable(language),
  };
}

function eldSays(text: string): Told {
  const result = eld.detect(text);
  return { language: result.language, scores: result.getScores(), isReliable: result.isReliable() };
}

async function eldNGrams(): Promise<Readonly<Record<string, Readonly<Record<string, number>>>>> {
  const { ngramsData } = (await import(new URL('../ngrams/large.js', import.meta.resolve('eld/large')).href)) as {
    ngramsData: { ngrams: Record<string, Record<string, number>> };
  };
  return ngramsData.ngrams;
}

/** Stretches of a text of every length, from everywhere. */
function* stretches(text: string, count: number): Generator<string> {
  const random = new KeyedRandom(5, text.length);
  for (let n = 0; n < count; n++) {
    const from = random.below(text.length);
    yield text.slice(from, from + 1 + random.below(n % 4 === 0 ? 30 : 1200));
  }
}

describe('LanguageModel, beside ELD', () => {
  it('has every n-gram of the package, with its scores', async () => {
    const theirs = Object.entries(await eldNGrams());
    const wrong = theirs.filter(([ngram, scores]) => {
      const symbols = Uint8Array.from(ngram, (symbol) => symbol.charCodeAt(0));
      const totals = new Float64Array(data.languages.length);
      data.table.addTo(totals, 0, lowOf(symbols, 0, symbols.length), highOf(symbols, 0, symbols.length));
      return totals.some((total, language) => total !== (scores[language] ?? 0));
    });
    expect(wrong).toEqual([]);
    expect(data.table.slots.filter((number, i) => i % 3 === 1 && number !== 0)).toHaveLength(theirs.length);
    expect(data.table.pairs).toHaveLength(theirs.reduce((sum, [, scores]) => sum + Object.keys(scores).length, 0));
    expect(data.languages).toEqual(Object.values(eld.info().Languages));
  });

  it('comes back from its file as it was, and not from half of it', () => {
    expect(Buffer.from(encodeModel(data)).equals(bytes)).toBe(true);
    expect(() => decodeModel(bytes.subarray(0, bytes.length - 2))).toThrow(/instead of \d+/);
  });

  it('comes with its licence', () => {
    const licence = readFileSync(join(packageRoot, 'dist/language-model.LICENSE'), 'utf8');
    expect(licence).toMatch(/^language-model\.bin holds .* of eld 2\.1\.0/);
    expect(licence).toContain('Apache License');
  });

  it('the same scores of n-grams of each of the 60 languages, put together at random', async () => {
    const { languages, symbols } = data;
    const bytes = new Map(
      Array.from(symbols, (symbol, byte) => [String.fromCharCode(symbol), byte] as const).filter(
        ([symbol]) => symbol !== ' ',
      ),
    );
    const ngrams = Object.entries(await eldNGrams());
    const guessed = new Set<string>();
    for (let id = 0; id < languages.length; id++) {
      const own = ngrams
        .filter(([, scores]) => id in scores)
        .map(([ngram]) => Uint8Array.from(ngram, (symbol) => bytes.get(symbol) ?? 0x20));
      const random = new KeyedRandom(6, id);
      for (let n = 0; n < 20; n++) {
        const text = Buffer.concat(
          Array.from({ length: 1 + random.below(120) }, () => own[random.below(own.length)]!),
        ).toString();
        const told = eldSays(text);
        expect(ours(text), text).toEqual(told);
        guessed.add(told.language);
      }
    }
    expect(guessed.size).toBeGreaterThan(55);
  });

  it.each(Object.entries(sentences))('the same scores: %s', (language, sentence) => {
    expect(eldSays(sentence).language).toBe(language);
    const texts = [sentence, sentence.toUpperCase(), sentence.repeat(9), ...stretches(sentence.repeat(4), 30)];
    for (const text of texts) expect(ours(text), text).toEqual(eldSays(text));
  });

  const expectSameScores = (path: string): void => {
    for (const text of stretches(readFileSync(path, 'utf8'), 100)) expect(ours(text), text).toEqual(eldSays(text));
  };
  it.each(
    globSync(ourFiles, { cwd: root })
      .sort()
      .map((path) => [path]),
  )('the same scores all over %s', (path) => expectSameScores(join(root, path)));
  if (sharedDataMissing === undefined)
    it.each(
      globSync(realFiles, { cwd: sharedData })
        .sort()
        .map((path) => [path]),
    )('the same scores all over %s', (path) => expectSameScores(join(sharedData, path)));
  else absent('the same scores all over real files', sharedDataMissing);

  const marks = fc.constantFrom(
    "'",
    '`',
    '’',
    ' ',
    '  ',
    '\n',
    '.',
    '-',
    '7',
    'Σ',
    'İ',
    'I',
    'ς',
    'ß',
    '\u0307',
    '\u00ad',
    '\ud83d',
    '\ude00',
    '\u{1d400}',
    '\u{20000}',
    '天',
    '\u0780',
    'ⴰ',
    '\ua7cb',
    '\u1c89',
  );
  const letters = fc.stringMatching(/^[a-zA-Zäöüéàñõåøçşğıłżřěčαβγσ]{1,12}$/);
  const anyUnit = fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit));
  it.each([
    ['words and marks', fc.array(fc.oneof(letters, marks), { maxLength: 200 })],
    [
      'long words',
      fc.array(
        fc.oneof(
          { weight: 9, arbitrary: letters },
          { weight: 9, arbitrary: fc.constantFrom('天', '\u0780', 'é', "'", 'Σ') },
          { weight: 1, arbitrary: marks },
        ),
        { maxLength: 300 },
      ),
    ],
    [
      'any code units',
      fc.array(fc.oneof({ weight: 6, arbitrary: anyUnit }, { weight: 1, arbitrary: marks }), { maxLength: 500 }),
    ],
    ['any characters', fc.array(fc.string({ unit: 'binary', maxLength: 40 }), { maxLength: 30 })],
  ])('the same scores of %s at random', (_, parts) => {
    fc.assert(
      fc.property(parts, (all) => {
        expect(ours(all.join(''))).toEqual(eldSays(all.join('')));
      }),
      { numRuns: 500 },
    );
  });
});
