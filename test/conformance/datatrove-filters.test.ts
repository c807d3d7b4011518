import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import clean from '../../stages/clean/index.ts';
import crawl from '../../stages/ingest-common-crawl/index.ts';
import wikipedia from '../../stages/ingest-wikipedia/index.ts';
import { loadLanguageDetector } from '../../src/text/language/detector.ts';
import { root, samples } from '../rig/project.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { datasetOf, document, runStage } from '../rig/run-stage.ts';
import { sharedData, sharedDataMissing } from '../rig/shared-data.ts';
import { because } from '../rig/skipped.ts';

const missing = missingModules('datatrove', 'spacy', 'regex');

const groups = ['gopher_repetition', 'gopher_quality', 'c4', 'fineweb'] as const;
type Group = (typeof groups)[number];
type Reasons = Readonly<Record<Group, string | null>>;

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

/** Texts of one kind, good and bad, as our stages hand them to `clean`. */
interface Corpus {
  readonly name: string;
  readonly missing?: string | undefined;
  texts(): Promise<Record<string, readonly string[]>>;
  /** Where we and datatrove decide otherwise, and why. */
  readonly known: Readonly<Record<Group, readonly string[]>>;
}

const articles = async (dump: string): Promise<string[]> =>
  textsOf(
    await runStage(wikipedia, {
      type: 'ingest-wikipedia',
      config: { dump, snapshot: '2026-11-01' },
      sources: { dump: [dump] },
    }),
  );
const pages = async (path: string): Promise<string[]> =>
  textsOf(
    await runStage(crawl, {
      type: 'ingest-common-crawl',
      config: { path, snapshot: 'CC-MAIN-2026-43' },
      sources: { path: [path] },
    }),
  );
const textsOf = async ({ outputs }: Awaited<ReturnType<typeof runStage>>): Promise<string[]> =>
  (await outputs['documents']!.rows()).map((row) => String(row.text));
const parts = (path: string, between: RegExp): string[] => readFileSync(path, 'utf8').split(between);
/** The first column of a table, a dozen lines a text, without order. */
const opinions = (path: string): string[] => {
  const lines = parts(path, /\n/).map((line) => line.split('\t')[0]!);
  return Array.from({ length: Math.min(60, lines.length / 12) }, (_, page) =>
    lines.slice(page * 12, page * 12 + 12).join('\n'),
  );
};

const fixtures = join(root, 'test/fixtures');
const corpora: readonly Corpus[] = [
  {
    name: 'files of ours',
    async texts() {
      return {
        article: await articles(join(samples, 'wikipedia/mossewiki-20261201-pages-articles.xml.bz2')),
        tables: await articles(join(fixtures, 'wikipedia/tables.xml')),
        page: await pages(join(samples, 'crawl/CC-MAIN-2026-43-sample.warc.gz')),
        wet: await pages(join(samples, 'crawl/CC-MAIN-2026-43-sample.warc.wet.gz')),
        wikitext: parts(join(fixtures, 'text/spaced.txt'), /\n(?= = [^=])/),
        dictionary: parts(join(fixtures, 'books/the-clockmakers-dictionary.txt'), /\n{4,}/),
        book: parts(join(samples, 'books/six-walks-in-the-vale.txt'), /\n{4,}/),
        opinions: opinions(join(samples, 'tasks/sentiment-train.tsv')),
      };
    },
    known: {
      // Titles and stubs of a few words, as below.
      gopher_repetition: [
        'article 221: kept, datatrove top_2_gram',
        'dictionary 1: kept, datatrove top_2_gram',
        'dictionary 2: kept, datatrove top_2_gram',
        'book 1: kept, datatrove top_2_gram',
      ],
      gopher_quality: [],
      // Two sentences under a line of asterisks, which spaCy takes for a third.
      c4: ['book 9: c4_few_sentences, datatrove keeps'],
      fineweb: [],
    },
  },
  {
    name: 'real files',
    missing: sharedDataMissing,
    async texts() {
      return {
        article: await articles(join(sharedData, 'wikipedia/smallwiki-pages-articles.xml.bz2')),
        tables: await articles(join(sharedData, 'wikipedia/enwiki-table-markup.xml.bz2')),
        page: await pages(join(sharedData, 'common-crawl/sample-0000.warc.gz')),
        wet: await pages(join(sharedData, 'common-crawl/whirlwind.warc.wet.gz')),
        wikitext: parts(join(sharedData, 'text/wikitext-2-valid.txt'), /\n(?= = [^=])/),
        dictionary: parts(join(sharedData, 'books/the-devils-dictionary.txt'), /\n{4,}/),
        opinions: opinions(join(sharedData, 'tasks/sst2-dev.tsv')),
      };
    },
    known: {
      // Texts of a few words in which no n-gram occurs twice: datatrove counts one that occurs once as repetition.
      // `min_words` drops them in any case.
      gopher_repetition: ['article 201: kept, datatrove top_3_gram', 'article 239: kept, datatrove top_4_gram'],
      // 0.77 to 0.796 of our tokens have a letter, for 0.8: spaCy takes `@-@`, which WikiText writes for a hyphen, and
      // code for one token each, we for three marks and more.
      gopher_quality: [
        'page 0: gopher_alphabetic_words, datatrove keeps',
        'wikitext 35: gopher_alphabetic_words, datatrove keeps',
        'wikitext 37: gopher_alphabetic_words, datatrove keeps',
      ],
      // A stub in Latgalian, taken for English: spaCy counts `malt.` and the like as ends of sentences, we only with a
      // capital behind.
      c4: ['article 891: c4_few_sentences, datatrove keeps'],
      fineweb: [],
    },
  },
];

/** Those that are English: datatrove's rules are told the language; so are ours. */
async function englishTexts(corpus: Corpus): Promise<Map<string, string>> {
  const texts = new Map<string, string>();
  const detect = await loadLanguageDetector();
  for (const [name, all] of Object.entries(await corpus.texts()))
    all.map(trimmed).forEach((text, index) => {
      if (detect(text).language === 'en') texts.set(`${name} ${index}`, text);
    });
  return texts;
}

for (const corpus of corpora)
  describe.skipIf((missing ?? corpus.missing) !== undefined)(
    `clean against datatrove on ${corpus.name}${because(missing ?? corpus.missing)}`,
    () => {
      let texts: Map<string, string>, theirs: Reasons[];
      beforeAll(async () => {
        texts = await englishTexts(corpus);
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
          expect(ours.size).toBeGreaterThan(2);
          expect(ours.size).toBeLessThan(texts.size);
          expect(differences).toEqual(corpus.known[group]);
        },
        60_000,
      );
    },
  );
