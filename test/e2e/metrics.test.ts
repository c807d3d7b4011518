import { beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../src/core/data.ts';
import { rowsOf } from '../rig/artifact.ts';
import { expectToAddUp, metricsTable, total, type Counters } from '../rig/metrics.ts';
import { metricsOf, Project, samples } from '../rig/project.ts';

const pipeline = `name: m
seed: 3
stages:
  wikipedia: { uses: ingest-wikipedia, with: { dump: ${samples}/wikipedia/*-articles.xml.bz2 } }
  books:     { uses: ingest-books, with: { path: [${samples}/books, junk] } }
  crawl:     { uses: ingest-common-crawl, with: { path: ${samples}/crawl/*.warc.gz } }
  clean-wikipedia: { uses: clean, inputs: { documents: wikipedia }, with: { languages: [en] } }
  clean-books:     { uses: clean, inputs: { documents: books }, with: { languages: [en] } }
  clean-crawl:     { uses: clean, inputs: { documents: crawl }, with: { languages: [en] } }
  window:    { uses: refresh, inputs: { documents: [clean-wikipedia, clean-books, clean-crawl] }, with: { window: 1, weights: { books: 2 } } }
  documents: { uses: deduplicate, inputs: { documents: window }, with: { method: minhash } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: documents }, with: { vocab_size: 800, sample: 0.5 } }
  tokens:    { uses: tokenize, inputs: { documents: documents, tokenizer: tokenizer }, with: { max_length: 64, held_out: 0.1 } }
  static:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: static, copies: 2 } }
  important: { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: importance, importance: surprisal, favour: important, mlm_probability: 0.2 } }
  common:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: importance, importance: tf-idf, favour: unimportant, mlm_probability: 0.2 } }
`;

const corpora = ['wikipedia', 'books', 'crawl'];
const cleaned = corpora.map((corpus) => `clean-${corpus}`);

describe('the tables `metrics` of every corpus stage, on the samples', () => {
  const project = new Project({ 'p.yaml': pipeline, 'junk/cover.jpg': 'no text', 'junk/empty.txt': '' });
  let counters: Readonly<Record<string, Counters>> = {};
  const folder = (reference: string): string => project.path('outputs/m', reference.replace('/', '.steps/'));
  const tableOf = (stage: string) => metricsTable(folder(`${stage}.metrics`));
  beforeAll(async () => {
    const result = await project.run('p.yaml', '--json');
    expect(result.code, result.stdout.slice(-3000) + result.stderr).toBe(0);
    counters = metricsOf(result);
  });

  it.each([...corpora, ...cleaned, 'documents/signatures', 'documents', 'tokenizer/words', 'tokens'])(
    '%s: rows of all shards add up to the counters of the run',
    async (stage) => {
      expectToAddUp(stage, await tableOf(stage), counters[stage]!);
    },
  );

  it.each([...corpora, ...cleaned, 'documents'])(
    '%s: bytes, lengths, languages and domains are those of the documents that it left',
    async (stage) => {
      const table = await tableOf(stage);
      const rows = await rowsOf(folder(stage));
      const by = (label: (row: Row) => string): Counters => {
        const counts: Record<string, number> = {};
        for (const row of rows) if (label(row) !== '') counts[label(row)] = (counts[label(row)] ?? 0) + 1;
        return counts;
      };
      expect(table['bytes']!['out']).toBe(rows.reduce((sum, row) => sum + Buffer.byteLength(String(row.text)), 0));
      expect(table['length']).toEqual(by((row) => String(2 ** Math.floor(Math.log2(String(row.text).length)))));
      expect(table['language'] ?? {}).toEqual(by((row) => String(row.lang)));
      expect(table['domain'] ?? {}).toEqual(
        by((row) => (row.url === '' ? '' : new URL(String(row.url)).hostname.replace(/^www\./, ''))),
      );
    },
  );

  it('what one stage leaves the next one reads', async () => {
    const [books, window, documents, tokens] = await Promise.all(
      ['books', 'window', 'documents', 'tokens'].map(tableOf),
    );
    for (const corpus of corpora) {
      const [read, clean] = [await tableOf(corpus), await tableOf(`clean-${corpus}`)];
      for (const what of ['documents', 'bytes']) expect(clean[what]!['in']).toBe(read[what]!['out']);
    }
    expect(window!['documents']!['in']).toBe(total(await documentsOut(cleaned)));
    expect(documents!['documents']!['in']).toBe(window!['documents']!['out']);
    for (const what of ['documents', 'bytes']) expect(tokens![what]!['in']).toBe(documents![what]!['out']);
    for (const what of ['length', 'language', 'domain']) expect(tokens![what]).toEqual(documents![what]);
    expect(books!['dropped']).toEqual({ 'not-text': 1, empty: 1 });
  });
  const documentsOut = async (stages: readonly string[]): Promise<Counters> =>
    Object.fromEntries(
      await Promise.all(stages.map(async (stage) => [stage, (await tableOf(stage))['documents']!['out']!] as const)),
    );

  it('the window: documents in, less those dropped, plus the repeats, are documents out', async () => {
    const table = await tableOf('window');
    expect(table['documents']).toEqual({
      in: counters['window']!['documents.in'],
      out: counters['window']!['documents.out'],
    });
    expect(table['dropped']).toEqual({ evicted: counters['window']!['documents.evicted'] });
    expect(table['repeated']).toEqual({ books: (await documentsOut(cleaned))['clean-books'] });
    expect(table['documents']!['in']! - total(table['dropped']) + total(table['repeated'])).toBe(
      table['documents']!['out'],
    );
    for (const what of ['source', 'snapshot']) expect(total(table[what])).toBe(table['documents']!['out']);
  });

  it('tokens and sequences are those that were written', async () => {
    const table = await tableOf('tokens');
    for (const [label, port] of [
      ['out', 'sequences'],
      ['held_out', 'held_out'],
    ] as const) {
      const rows = await rowsOf(folder(`tokens.${port}`));
      expect([table['sequences']![label], table['tokens']![label]]).toEqual([
        rows.length,
        rows.reduce((sum, row) => sum + (row.input_ids as Uint32Array).length, 0),
      ]);
    }
    const { bytes, tokens: learned } = await tableOf('tokenizer');
    const sample = await tableOf('tokenizer/words');
    expect(bytes!['in']).toBe(sample['bytes']!['out']);
    expect(Math.abs(sample['documents']!['out']! / sample['documents']!['in']! - 0.5)).toBeLessThan(0.1);
    expect(bytes!['in']! / learned!['out']!).toBe(counters['tokenizer']!['bytes_per_token']);
  });

  it('static masking: every masked position is counted, by source and by what became of it', async () => {
    const table = await tableOf('static');
    const masked = (await rowsOf(folder('static'))).reduce(
      (sum, row) => sum + (row.positions as Uint16Array).length,
      0,
    );
    expect([total(table['masked']), total(table['source_masked'])]).toEqual([masked, masked]);
    expect(table['tried']!['tokens']).toBe(table['tokens']!['out']);
    expect(table['tokens']).toEqual({ in: counters['static']!['tokens'], out: 2 * counters['static']!['tokens']! });
    expect(table['sequences']).toEqual({
      in: counters['tokens']!['sequences'],
      out: 2 * counters['tokens']!['sequences']!,
    });
    expect(Object.keys(table['source_tokens']!).sort()).toEqual(['books', 'common-crawl', 'wikipedia']);
    for (const [kind, share] of [
      ['mask', 0.8],
      ['random', 0.1],
      ['kept', 0.1],
    ] as const)
      expect(Math.abs(table['masked']![kind]! / masked - share)).toBeLessThan(
        3 * Math.sqrt((share * (1 - share)) / masked) + 0.1 / 800,
      );
    for (const [source, tokens] of Object.entries(table['source_tokens']!))
      expect(Math.abs(table['source_masked']![source]! / tokens - 0.15), source).toBeLessThan(
        3 * Math.sqrt((0.15 * 0.85) / tokens),
      );
  });

  it.each([
    ['important', 1],
    ['common', -1],
  ])(
    'masking that favours %s tokens: fifths of the corpus are masked in that order, 0.2 overall',
    async (stage, direction) => {
      const table = await tableOf(stage);
      const fifths = ['1', '2', '3', '4', '5'];
      const shares = fifths.map((label) => table['importance_masked']![label]! / table['importance_tokens']![label]!);
      const inOrder = direction > 0 ? shares : shares.toReversed();
      expect([...inOrder].sort((a, b) => a - b)).toEqual(inOrder);
      expect(total(table['importance_tokens'])).toBe(table['tried']!['tokens']);
      const tokens = table['tried']!['tokens']!;
      expect(Math.abs(total(table['masked']) / tokens - 0.2)).toBeLessThan(3 * Math.sqrt((0.2 * 0.8) / tokens));
    },
  );
});
