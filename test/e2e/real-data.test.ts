import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../src/core/data.ts';
import { loadContract } from '../../src/arrow/contract.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { manifestOf, rowsOf } from '../rig/artifact.ts';
import { expectToAddUp, metricsTable } from '../rig/metrics.ts';
import { metricsOf, Project, root, samples } from '../rig/project.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { contracts } from '../rig/run-stage.ts';
import { sharedData, sharedDataMissing } from '../rig/shared-data.ts';
import { because } from '../rig/skipped.ts';

type Counts = Readonly<Record<string, number>>;

interface Corpus {
  readonly name: string;
  readonly missing?: string | undefined;
  /** Of each stage that ingests, as YAML. */
  readonly sources: Readonly<Record<(typeof ingested)[number], string>>;
  /** Chinese prose, which is written to `zh.txt`. */
  chinese(): string;
  /** What ingesting and cleaning count. */
  readonly counts: Readonly<Record<string, Counts>>;
}

const noArrow = missingModules('pyarrow', 'duckdb');
const ingested = ['wikipedia', 'tables', 'crawl', 'books'] as const;
const fixtures = join(root, 'test/fixtures');
const corpora: readonly Corpus[] = [
  {
    name: 'files of ours',
    sources: {
      wikipedia: `{ dump: ${samples}/wikipedia/mossewiki-20261001-pages-articles.xml.bz2, snapshot: 2026-10-01 }`,
      tables: `{ dump: ${fixtures}/wikipedia/tables.xml, snapshot: 2026-11-01 }`,
      crawl: `{ path: [${samples}/crawl/*.warc.gz, ${samples}/crawl/*.warc.wet.gz] }`,
      books: `{ path: [${samples}/books, ${fixtures}/books/the-clockmakers-dictionary.txt, ${fixtures}/text, zh.txt] }`,
    },
    chinese: () => readFileSync(join(fixtures, 'books/zh.txt'), 'utf8'),
    counts: {
      wikipedia: { 'documents.in': 235, 'documents.out': 198, 'dropped.namespace': 16, 'dropped.redirect': 21 },
      tables: { 'documents.in': 3, 'documents.out': 3 },
      crawl: { 'documents.in': 248, 'documents.out': 240 },
      books: { 'documents.in': 6, 'documents.out': 6 },
      'clean-books': { 'documents.out': 6 },
      'clean-tables': { 'documents.out': 3 },
      'clean-crawl': { 'dropped.language': 2 },
      documents: { 'documents.out': 409, 'dropped.duplicate': 27 },
    },
  },
  {
    name: 'real files',
    missing: sharedDataMissing,
    sources: {
      wikipedia: `{ dump: ${sharedData}/wikipedia/smallwiki-pages-articles.xml.bz2, snapshot: 2017-12-01 }`,
      tables: `{ dump: ${sharedData}/wikipedia/enwiki-table-markup.xml.bz2, snapshot: 2018-01-01 }`,
      crawl: `{ path: [${sharedData}/common-crawl/*.warc.gz, ${sharedData}/common-crawl/*.warc.wet.gz] }`,
      books: `{ path: [${sharedData}/books, ${sharedData}/text/wikitext-2-valid.txt, zh.txt] }`,
    },
    chinese: () =>
      (
        JSON.parse(readFileSync(join(sharedData, 'chinese/cmrc2018_trial.json'), 'utf8')) as {
          title: string;
          context_text: string;
        }[]
      )
        .map(({ title, context_text: text }) => `${title}\n\n${text}`)
        .join('\n\n'),
    counts: {
      wikipedia: {
        'documents.in': 2004,
        'documents.out': 895,
        'dropped.namespace': 954,
        'dropped.redirect': 147,
        'dropped.empty': 8,
      },
      tables: { 'documents.in': 5, 'documents.out': 5 },
      crawl: { 'documents.in': 24, 'documents.out': 24 },
      books: { 'documents.in': 3, 'documents.out': 3 },
      'clean-books': { 'documents.out': 3 },
      'clean-crawl': { 'dropped.language': 2 }, // the page in Aragonese, as WARC and as WET
    },
  },
];

/**
 * Latgalian is no language that the detector knows, books are longer than web pages and WikiText has more marks, split
 * off words: hence the settings that differ from the defaults.
 */
const pipelineOf = ({ sources }: Corpus): string => `name: real
seed: 1
stages:
  wikipedia: { uses: ingest-wikipedia, with: ${sources.wikipedia} }
  tables:    { uses: ingest-wikipedia, with: ${sources.tables} }
  crawl:     { uses: ingest-common-crawl, with: ${sources.crawl} }
  books:     { uses: ingest-books, with: ${sources.books} }
  clean-wikipedia: { uses: clean, inputs: { documents: wikipedia }, with: { keep_rejects: true, min_language_score: 0 } }
  clean-tables:    { uses: clean, inputs: { documents: tables }, with: { keep_rejects: true, languages: [en] } }
  clean-crawl:     { uses: clean, inputs: { documents: crawl }, with: { keep_rejects: true, languages: [en] } }
  clean-books:
    uses: clean
    inputs: { documents: books }
    with: { keep_rejects: true, languages: [en, zh], filters: { gopher_quality: { max_words: 1000000, min_alphabetic_words: 0.7 }, c4: { drop_curly_bracket: false } } }
  documents: { uses: deduplicate, inputs: { documents: [clean-wikipedia, clean-tables, clean-crawl, clean-books] } }
  window:    { uses: refresh, inputs: { documents: documents }, with: { window: { days: 60 } } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: window }, with: { vocab_size: 8192, word_segmentation: auto } }
  tokens:    { uses: tokenize, inputs: { documents: window, tokenizer: tokenizer }, with: { max_length: 128, held_out: 0.05 } }
  static:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: static, copies: 2, whole_word: true } }
  dynamic:   { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: importance, importance: pmi } }
`;

for (const corpus of corpora)
  describe.skipIf(corpus.missing !== undefined)(
    `${corpus.name}, from dumps to masked sequences${because(corpus.missing)}`,
    () => {
      let project: Project;
      let log = '';
      let metrics: Readonly<Record<string, Counts>> = {};
      const artifact = (reference: string): string => project.path('outputs/real', reference.replace('/', '.steps/'));
      const sum = (counts: Counts, prefix: string): number =>
        Object.entries(counts).reduce((total, [name, count]) => (name.startsWith(prefix) ? total + count : total), 0);

      beforeAll(async () => {
        project = new Project({ 'real.yaml': pipelineOf(corpus), 'zh.txt': corpus.chinese() });
        const run = await project.run('real.yaml');
        expect(run.code, run.stdout + run.stderr).toBe(0);
        log = run.stdout;
        console.log(log);
        const again = await project.run('real.yaml', '--json');
        metrics = metricsOf(again);
      });

      it('every document is let through or counted as dropped, by reason, from stage to stage', async () => {
        for (const name of [...ingested, ...ingested.map((stage) => `clean-${stage}`), 'documents']) {
          const counts = metrics[name]!;
          expect(counts['documents.in'], name).toBe(counts['documents.out']! + sum(counts, 'dropped.'));
          if (name.startsWith('clean-')) {
            expect(counts['documents.in']).toBe(metrics[name.slice('clean-'.length)]!['documents.out']);
            expect(await rowCount(artifact(name))).toBe(counts['documents.out']);
            expect((await rowsOf(artifact(`${name}.rejects`))).map((row) => row.reason).sort()).toEqual(
              Object.entries(counts)
                .filter(([key]) => key.startsWith('dropped.'))
                .flatMap(([key, count]) => Array<string>(count).fill(key.slice('dropped.'.length)))
                .sort(),
            );
          } else expect(await rowCount(artifact(name))).toBe(counts['documents.out']);
        }
        const cleaned = ingested.reduce((total, name) => total + metrics[`clean-${name}`]!['documents.out']!, 0);
        expect(metrics['documents']!['documents.in']).toBe(cleaned);
        expect(metrics['window']).toMatchObject({
          'documents.in': metrics['documents']!['documents.out'],
          'documents.out': metrics['documents']!['documents.out'],
          'shards.evicted': 0,
        });
        expect(metrics['tokens']!['documents.in']).toBe(metrics['window']!['documents.out']);
      });

      it('the tables of all shards add up to the counters', async () => {
        const counting = Object.keys(metrics).filter(
          (stage) =>
            'documents.in' in metrics[stage]! &&
            stage !== 'window' &&
            !Object.keys(metrics).some((step) => step.startsWith(`${stage}/`)),
        );
        expect(counting).toEqual(expect.arrayContaining([...ingested, 'clean-crawl', 'documents/kept', 'tokens']));
        for (const stage of counting)
          expectToAddUp(stage, await metricsTable(artifact(`${stage}.metrics`)), metrics[stage]!);
      });

      it('the counts are those that the files have', () => {
        expect(metrics).toMatchObject(corpus.counts);
        expect(metrics['wikipedia']).toEqual(corpus.counts['wikipedia']);
      });

      it('the plain log has every count that the journal has', () => {
        // Of steps that have nothing to do only their stage is reported.
        for (const [stage, counts] of Object.entries(metrics).filter(([each]) => !each.includes('/')))
          for (const [name, count] of Object.entries(counts))
            expect(log).toMatch(
              new RegExp(
                `^${stage.replace(/[[\]]/g, '\\$&')}: (?:ran|cached) .*\\b${name.replaceAll('.', '\\.')} ` +
                  `${Number.isInteger(count) ? count.toLocaleString('en') : ''}`,
                'm',
              ),
            );
      });

      it('reads like the pages', async () => {
        const texts = (
          await Promise.all(['wikipedia', 'tables', 'crawl', 'books'].map((name) => rowsOf(artifact(name))))
        )
          .flat()
          .map((row) => String(row.text));
        for (const text of texts)
          expect(text).not.toMatch(
            /\[\[|\{\{|\}\}|<\/?ref\b|&(?:nbsp|amp|lt);|\uFFFD|\0|START OF TH(?:E|IS) PROJECT GUTENBERG/,
          );
        expect(texts.find((text) => text.includes('Project Gutenberg'))).toBeUndefined();
      });

      it('tokens add up, and are the text', async () => {
        const { tokens, static: masked, dynamic } = metrics;
        const [trained, heldOut] = [
          await rowsOf(artifact('tokens.sequences')),
          await rowsOf(artifact('tokens.held_out')),
        ];
        expect([trained.length, heldOut.length]).toEqual([tokens!['sequences'], tokens!['held_out.sequences']]);
        expect([length(trained), length(heldOut)]).toEqual([tokens!['tokens'], tokens!['held_out.tokens']]);
        const tokenizer = new Tokenizer(loadTokenizer(artifact('tokenizer')));
        const special = new Set(tokenizer.model.specialIds);
        const ordinary = trained.reduce((total, row) => total + ids(row).filter((id) => !special.has(id)).length, 0);
        expect([masked!['tokens'], dynamic!['tokens']]).toEqual([ordinary, ordinary]);
        const characters = (texts: readonly string[]): number =>
          texts.reduce((total, text) => total + text.replace(/\s+/g, '').length, 0);
        // Sentence by sentence the text is all there; only white space between sentences may go.
        const decoded = tokenizer.decode([...trained, ...heldOut].flatMap(ids));
        expect(characters([decoded])).toBe(
          characters((await rowsOf(artifact('window'))).map((row) => String(row.text))),
        );
        expect(Math.max(...trained.map((row) => ids(row).length))).toBeLessThanOrEqual(128);
      });

      it('masks the share that was asked for', async () => {
        const { tokens, static: masked, dynamic } = metrics;
        const copies = await rowsOf(artifact('static'));
        expect(copies).toHaveLength(2 * tokens!['sequences']!);
        expect(
          copies.reduce((total, row) => total + (row.positions as Uint16Array).length, 0) / (2 * masked!['tokens']!),
        ).toBeCloseTo(masked!['masked_share']!, 10);
        expect(masked!['masked_share']).toBeCloseTo(0.15, 2);
        expect(dynamic!['masked_share']).toBeCloseTo(0.15, 2);
      });

      it.skipIf(noArrow !== undefined)(
        `pyarrow and DuckDB open every shard with its contract's schema${because(noArrow)}`,
        () => {
          const folders = [
            ...['wikipedia', 'tables', 'crawl', 'books', 'documents', 'window'].map(
              (name) => [artifact(name), 'documents'] as const,
            ),
            ...['wikipedia', 'tables', 'crawl', 'books'].flatMap(
              (name) =>
                [
                  [artifact(`clean-${name}`), 'documents'],
                  [artifact(`clean-${name}.rejects`), 'rejects'],
                ] as const,
            ),
            [artifact('tokens.sequences'), 'sequences'],
            [artifact('tokens.held_out'), 'sequences'],
            [artifact('static'), 'masked'],
          ] as const;
          const shards = folders.flatMap(([folder, contract]) =>
            manifestOf(folder)
              .files.filter((file) => file.rows !== undefined)
              .map((file) => ({
                path: join(folder, file.path),
                rows: file.rows,
                fields: fieldsOf(contract),
              })),
          );
          expect(shards.length).toBeGreaterThan(20);
          expect(JSON.parse(runPython(['-c', openShards], shards))).toEqual(
            shards.map(({ rows: count, fields }) => ({ rows: count, duckdb: count, fields })),
          );
        },
      );

      it('a second run does nothing', async () => {
        expect(new Set(Object.values(await project.states('real.yaml')))).toEqual(new Set(['cached']));
      });
    },
  );

/** Opens every shard twice over: with pyarrow, and as a table that DuckDB reads in full. */
const openShards = `
import duckdb, json, pyarrow.ipc, sys
answers = []
for shard in json.load(sys.stdin):
    rows = pyarrow.ipc.open_file(shard["path"]).read_all()
    rows.validate(full=True)
    columns = ", ".join(f'count("{name}")' for name in rows.schema.names)
    counts = duckdb.sql(f"select count(*), {columns} from rows").fetchall()[0]
    assert len(set(counts)) == 1, counts
    names = {"string": "utf8"}
    fields = {f.name: names.get(str(f.type)) or (f"list<{f.type.value_type}>" if pyarrow.types.is_list(f.type) else str(f.type)) for f in rows.schema}
    answers.append({"rows": rows.num_rows, "duckdb": counts[0], "fields": fields})
json.dump(answers, sys.stdout)
`;

/** The label of pairs is in no sequences that are packed here. */
function fieldsOf(contract: string): Record<string, string> {
  const definition = loadContract(contracts, contract);
  return definition.kind === 'dataset'
    ? Object.fromEntries(
        definition.fields.filter(({ name }) => name !== 'next_sentence_label').map((field) => [field.name, field.type]),
      )
    : {};
}

const rowCount = async (folder: string): Promise<number> => (await rowsOf(folder)).length;
const ids = (row: Row): number[] => [...(row.input_ids as Uint32Array)];
const length = (sequences: readonly Row[]): number => sequences.reduce((total, row) => total + ids(row).length, 0);
