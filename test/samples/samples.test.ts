import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StageType } from '../../src/core/stage.ts';
import clean from '../../stages/clean/index.ts';
import ingestBooks from '../../stages/ingest-books/index.ts';
import ingestCommonCrawl from '../../stages/ingest-common-crawl/index.ts';
import ingestWikipedia from '../../stages/ingest-wikipedia/index.ts';
import { runInPipeline } from '../rig/composite.ts';
import { runStage, type TestArtifact } from '../rig/run-stage.ts';

const samples = new URL('../../samples/', import.meta.url).pathname;
const files = (folder: string, ending: RegExp): string[] =>
  readdirSync(join(samples, folder))
    .filter((name) => ending.test(name))
    .sort()
    .map((name) => join(samples, folder, name));

interface Corpus {
  readonly cleaned: TestArtifact;
  readonly rows: readonly Record<string, unknown>[];
  readonly ingested: Record<string, number>;
  readonly counts: Record<string, number>;
}

async function prepare<C>(
  type: string,
  stage: StageType<C>,
  property: string,
  paths: readonly string[],
  language: string,
): Promise<Corpus> {
  const ingest = await runStage(stage, { type, config: { [property]: [...paths] }, sources: { [property]: paths } });
  const { outputs, metrics } = await runStage(clean, {
    type: 'clean',
    config: { languages: [language] },
    inputs: { documents: ingest.outputs.documents! },
  });
  return {
    cleaned: outputs.documents!,
    rows: await outputs.documents!.rows(),
    ingested: ingest.metrics,
    counts: metrics,
  };
}

describe('sample corpora', () => {
  let wikipedia: Corpus, crawl: Corpus, books: Corpus, chinese: Corpus;
  beforeAll(async () => {
    wikipedia = await prepare('ingest-wikipedia', ingestWikipedia, 'dump', files('wikipedia', /\.xml\.bz2$/), 'en');
    crawl = await prepare('ingest-common-crawl', ingestCommonCrawl, 'path', files('crawl', /\.warc\.gz$/), 'en');
    books = await prepare('ingest-books', ingestBooks, 'path', files('books', /\.txt$/), 'en');
    chinese = await prepare('ingest-wikipedia', ingestWikipedia, 'dump', files('chinese', /\.xml\.bz2$/), 'zh');
  }, 60_000);

  it('have the snapshots that a window slides over', () => {
    const snapshots = ({ rows }: Corpus): unknown[] => [...new Set(rows.map((row) => row.snapshot))];
    expect(snapshots(wikipedia)).toEqual(['2026-10-01', '2026-11-01', '2026-12-01']);
    expect(snapshots(crawl)).toEqual(['CC-MAIN-2026-38', 'CC-MAIN-2026-43']);
  });

  it('keep the articles, pages and books, and lose the junk, by rule', () => {
    expect([wikipedia, crawl, books, chinese].map(({ rows }) => rows.length)).toEqual([611, 158, 3, 249]);
    expect(wikipedia.ingested).toMatchObject({ 'dropped.redirect': 66, 'dropped.namespace': 41 });
    expect(crawl.ingested).toMatchObject({
      'dropped.http-status': 3,
      'dropped.content-type': 3,
      'dropped.too-short': 2,
    });
    expect(Object.keys(wikipedia.counts)).toEqual(
      expect.arrayContaining([
        'dropped.language',
        'dropped.c4_lorem_ipsum',
        'dropped.c4_curly_bracket',
        'dropped.gopher_short',
        'dropped.gopher_duplicate_lines',
      ]),
    );
  });

  it('are read without markup, menus and scripts', () => {
    for (const { rows } of [wikipedia, crawl, chinese])
      for (const row of rows)
        expect(row.text).not.toMatch(
          /\{\{|\}\}|\[\[|\]\]|<ref|<\/|\bReflist\b|All rights reserved|window\.visits|-\{|\uFFFD/,
        );
  });

  it('hold copies for deduplicate to find', async () => {
    const { metrics } = await runInPipeline(
      'deduplicate',
      {},
      { documents: [wikipedia, crawl, books].map(({ cleaned }) => cleaned) },
    );
    expect(metrics).toMatchObject({ documents: 772, 'dropped.duplicate': 290 });
  });

  it('say 我爱北京天安门, in one script', () => {
    const texts = chinese.rows.map((row) => String(row.text));
    expect(texts.some((text) => text.includes('我爱北京天安门'))).toBe(true);
    expect(texts.find((text) => text.startsWith('字体转换'))).toMatch(/把程序叫做软件.*内存.*网络/);
  });
});

describe('labelled samples', () => {
  it.each([
    ['tasks', 1200, 300],
    ['chinese', 1200, 300],
  ])('%s: half good, half bad, nothing of dev in train', (folder, train, dev) => {
    const [trained, held] = ['train', 'dev'].map((part) =>
      readFileSync(join(samples, folder, `sentiment-${part}.tsv`), 'utf8')
        .trim()
        .split('\n'),
    );
    expect(trained![0]).toBe('sentence\tlabel');
    expect([trained!.length - 1, held!.length - 1]).toEqual([train, dev]);
    expect(held!.slice(1).filter((line) => line.endsWith('\t1'))).toHaveLength(dev / 2);
    expect(held!.slice(1).filter((line) => trained!.includes(line))).toEqual([]);
  });
});
