import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import clean from '../../stages/clean/index.ts';
import crawl from '../../stages/ingest-common-crawl/index.ts';
import wikipedia from '../../stages/ingest-wikipedia/index.ts';
import { loadLanguageDetector } from '../../src/text/language/detector.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { datasetOf, document, runStage } from '../rig/run-stage.ts';

const shared = new URL('../../../shared/data/', import.meta.url).pathname;
const missing = missingModules('datatrove', 'spacy') ?? (existsSync(shared) ? undefined : `${shared} is not there`);

const groups = ['gopher_repetition', 'gopher_quality', 'c4', 'fineweb'] as const;
type Group = (typeof groups)[number];
type Reasons = Readonly<Record<Group, string | null>>;

const read = (name: string): string => readFileSync(join(shared, name), 'utf8');
/**
 * Without white space at the ends of lines, as the ingest stages write documents; datatrove looks at the last character
 * of a line.
 */
const trimmed = (text: string): string =>
  text
    .split('\n')
    .map((line) => line.trim())
    .join('\n')
    .trim();

/** Where we and datatrove decide otherwise, and why. */
const known: Readonly<Record<Group, readonly string[]>> = {
  // Texts of a few words in which no n-gram occurs twice: datatrove counts one that occurs once as repetition.
  // `min_words` drops them in any case.
  gopher_repetition: ['article 201: kept, datatrove top_3_gram', 'article 239: kept, datatrove top_4_gram'],
  // 0.77 to 0.796 of our tokens have a letter, for 0.8: spaCy takes `@-@`, which WikiText writes for a hyphen, and code
  // for one token each, we for three marks and more.
  gopher_quality: [
    'sample-0000.warc.gz 0: gopher_alphabetic_words, datatrove keeps',
    'wikitext 35: gopher_alphabetic_words, datatrove keeps',
    'wikitext 37: gopher_alphabetic_words, datatrove keeps',
  ],
  // A stub in Latgalian, taken for English: spaCy counts `malt.` and the like as ends of sentences, we only with a
  // capital behind.
  c4: ['article 891: c4_few_sentences, datatrove keeps'],
  fineweb: [],
};

/**
 * Real texts, good and bad: articles, web pages, a dictionary by letter, film reviews, and lines of them without order.
 */
async function realTexts(): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const detect = await loadLanguageDetector();
  const put = (name: string, all: readonly string[]): void =>
    all.map(trimmed).forEach((text, index) => {
      if (detect(text).language === 'en') texts.set(`${name} ${index}`, text); // datatrove's rules are told the language; so are ours
    });
  const dump = join(shared, 'wikipedia/smallwiki-pages-articles.xml.bz2'),
    tables = join(shared, 'wikipedia/enwiki-table-markup.xml.bz2');
  for (const path of [dump, tables])
    put(
      path.includes('small') ? 'article' : 'tables',
      (
        await (
          await runStage(wikipedia, {
            type: 'ingest-wikipedia',
            config: { dump: path, snapshot: '2026-11-01' },
            sources: { dump: [path] },
          })
        ).outputs.documents!.rows()
      ).map((row) => String(row.text)),
    );
  for (const name of ['sample-0000.warc.gz', 'whirlwind.warc.wet.gz']) {
    const path = join(shared, 'common-crawl', name);
    put(
      name,
      (
        await (
          await runStage(crawl, {
            type: 'ingest-common-crawl',
            config: { path, snapshot: 'CC-MAIN-2026-43' },
            sources: { path: [path] },
          })
        ).outputs.documents!.rows()
      ).map((row) => String(row.text)),
    );
  }
  put('wikitext', read('text/wikitext-2-valid.txt').split(/\n(?= = [^=])/));
  put('dictionary', read('books/the-devils-dictionary.txt').split(/\n{4,}/));
  const reviews = read('tasks/sst2-dev.tsv')
    .split('\n')
    .map((line) => line.split('\t')[0]!);
  put(
    'reviews',
    Array.from({ length: 60 }, (_, page) => reviews.slice(page * 12, page * 12 + 12).join('\n')),
  );
  return texts;
}

describe.skipIf(missing !== undefined)(`clean against datatrove${missing ? ` (skipped: ${missing})` : ''}`, () => {
  let texts: Map<string, string>, theirs: Reasons[];
  beforeAll(async () => {
    texts = await realTexts();
    theirs = JSON.parse(
      runPython([new URL('datatrove_filters.py', import.meta.url).pathname], [...texts.values()]),
    ) as Reasons[];
  }, 300_000);

  it.each(groups)(
    '%s',
    async (group) => {
      const filters = Object.fromEntries(groups.map((name) => [name, { enabled: name === group }]));
      const input = await datasetOf(
        'documents',
        [...texts].map(([id, text]) => document({ id, text, lang: 'en' })),
      );
      const { outputs } = await runStage(clean, {
        type: 'clean',
        config: { min_language_score: 0, keep_rejects: true, pii: { enabled: false }, filters },
        inputs: { documents: input },
      });
      const ours = new Map((await outputs.rejects!.rows()).map((row) => [String(row.id), String(row.reason)]));
      const differences: string[] = [];
      [...texts.keys()].forEach((id, index) => {
        const their = theirs[index]![group],
          our = ours.get(id) ?? null;
        if ((their === null) !== (our === null))
          differences.push(`${id}: ${our ?? 'kept'}, datatrove ${their ?? 'keeps'}`);
      });
      expect([...ours.keys()].length).toBeGreaterThan(2);
      expect(differences).toEqual(known[group]);
    },
    60_000,
  );
});
