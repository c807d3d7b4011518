import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import stage from '../../stages/ingest-wikipedia/index.ts';
import { root } from '../rig/project.ts';
import { runStage } from '../rig/run-stage.ts';
import { sharedData, sharedDataMissing } from '../rig/shared-data.ts';
import { because } from '../rig/skipped.ts';

const page = (id: number, title: string, text: string, extra = '', ns = 0) =>
  `<page><title>${title}</title><ns>${ns}</ns><id>${id}</id>${extra}<revision><id>1${id}</id>` +
  `<timestamp>2026-10-30T00:00:00Z</timestamp><model>wikitext</model><text xml:space="preserve">${text}</text>` +
  `</revision></page>\n`;
const dump = `<mediawiki xml:lang="en"><siteinfo><dbname>enwiki</dbname><base>https://en.wikipedia.org/wiki/Main_Page</base></siteinfo>
${page(1, 'Riga', "'''Riga''' is the capital of [[Latvia]].\n== References ==\n{{reflist}}")}${page(2, 'What is it?', 'A question &amp;amp; more.')}${page(3, 'RIX', '#REDIRECT [[Riga]]', '<redirect title="Riga" />')}
${page(4, 'Talk:Riga', 'Hello.', '', 1)}${page(5, 'Empty', '{{stub}}')}${page(6, 'Short', 'Hi.')}</mediawiki>`;

function write(name: string, content: string | Buffer): string {
  const path = join(mkdtempSync(join(tmpdir(), 'wiki-')), name);
  writeFileSync(path, content);
  return path;
}
const ingest = (uri: string, config: Record<string, unknown> = {}) =>
  runStage(stage, {
    type: 'ingest-wikipedia',
    config: { dump: uri, snapshot: '2026-11-01', ...config },
    sources: { dump: [uri] },
  });
const fails = (promise: Promise<unknown>, code: string) =>
  expect(promise).rejects.toMatchObject({ diagnostic: { code } });

describe('ingest-wikipedia', () => {
  it('writes articles and counts the rest by reason', async () => {
    const { outputs, metrics } = await ingest(write('enwiki.xml', dump), { min_characters: 10 });
    expect(await outputs.documents?.rows()).toEqual([
      {
        id: 'enwiki:1',
        source: 'wikipedia',
        snapshot: '2026-11-01',
        url: 'https://en.wikipedia.org/wiki/Riga',
        title: 'Riga',
        text: 'Riga is the capital of Latvia.',
        lang: 'en',
        meta: '{"timestamp":"2026-10-30T00:00:00Z"}',
      },
      expect.objectContaining({
        id: 'enwiki:2',
        url: 'https://en.wikipedia.org/wiki/What_is_it%3F',
        text: 'A question & more.',
      }),
    ]);
    expect(metrics).toMatchObject({
      'documents.in': 6,
      'documents.out': 2,
      'dropped.redirect': 1,
      'dropped.namespace': 1,
      'dropped.empty': 1,
      'dropped.short': 1,
    });
    expect(outputs.documents?.shards[0]?.meta).toEqual({ source: 'wikipedia', snapshot: '2026-11-01', documents: 2 });
  });

  it('gives the same bytes again, from gzip too', async () => {
    const digests = await Promise.all(
      [write('enwiki.xml', dump), write('enwiki.xml.gz', gzipSync(dump))].map(
        async (path) => (await ingest(path)).outputs.documents?.shards[0]?.digest,
      ),
    );
    expect(digests[0]).toBe(digests[1]);
  });

  it('takes the snapshot from the name and the rest from config', async () => {
    const { outputs } = await ingest(write('enwiki-20261101-pages-articles.xml', dump), {
      snapshot: '',
      lang: 'simple',
      source: 'wiki',
      max_documents: 1,
    });
    expect(await outputs.documents?.rows()).toEqual([
      expect.objectContaining({ snapshot: '2026-11-01', lang: 'simple', source: 'wiki' }),
    ]);
  });

  it('reads a URL', async () => {
    const server = createServer((_, response) => response.end(gzipSync(dump)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { metrics } = await ingest(`http://127.0.0.1:${(server.address() as AddressInfo).port}/enwiki.xml.gz`);
    server.close();
    expect(metrics['documents.out']).toBe(3);
  });

  it('does not keep a download that is no dump', async () => {
    let content = '<html>Too many requests</html>';
    const server = createServer((_, response) => response.end(content));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/enwiki.xml`;
    const options = {
      type: 'ingest-wikipedia',
      config: { dump: uri, snapshot: '2026-11-01' },
      sources: { dump: [uri] },
      directory: mkdtempSync(join(tmpdir(), 'wiki-')),
    };
    await fails(runStage(stage, options), 'not-a-dump');
    content = dump;
    expect((await runStage(stage, options)).metrics['documents.out']).toBe(3);
    server.close();
  });

  it.each([
    ['no snapshot', 'enwiki.xml', dump, 'no-snapshot', { snapshot: '' }],
    ['text', 'a.txt', 'Just text.', 'not-a-dump', {}],
    ['an HTML page', 'a.xml', '<html><body>Not found</body></html>', 'not-a-dump', {}],
    ['a truncated dump', 'a.xml', dump.slice(0, -20), 'truncated-dump', {}],
    ['truncated gzip', 'a.xml.gz', gzipSync(dump).subarray(0, -9), 'truncated-gzip', {}],
    ['damaged bzip2', 'a.xml.bz2', Buffer.from('BZh91AY&SY damaged beyond repair'), 'corrupt-bzip2', {}],
    ['a wrong checksum', 'a.xml', dump, 'checksum-mismatch', { checksum: 'f'.repeat(64) }],
  ])('fails clearly on %s', (_, name, content, code, config) => fails(ingest(write(name, content), config), code));

  it('one checksum for several dumps is refused when planning', () => {
    const config = { dump: ['a', 'b'], checksum: 'f'.repeat(64) } as unknown as Parameters<
      NonNullable<typeof stage.check>
    >[0];
    expect(stage.check?.(config)).toHaveLength(1);
  });
});

const samples = join(root, 'samples/wikipedia');
/** A dump as Wikipedia has it, and pages with more tables than text. */
const corpora = [
  {
    name: 'dumps of ours',
    missing: undefined,
    whole: join(samples, 'mossewiki-20261001-pages-articles.xml.bz2'),
    dumps: [
      {
        dump: join(samples, 'mossewiki-20261001-pages-articles.xml.bz2'),
        counts: { 'documents.in': 235, 'documents.out': 198, 'dropped.redirect': 21, 'dropped.namespace': 16 },
      },
      {
        dump: join(samples, 'mossewiki-20261101-pages-articles-multistream.xml.bz2'),
        counts: { 'documents.in': 254, 'documents.out': 220, 'dropped.redirect': 21, 'dropped.namespace': 13 },
      },
      { dump: join(root, 'test/fixtures/wikipedia/tables.xml'), counts: { 'documents.in': 3, 'documents.out': 3 } },
    ],
  },
  {
    name: 'real dumps',
    missing: sharedDataMissing,
    whole: join(sharedData, 'wikipedia/smallwiki-pages-articles.xml.bz2'),
    dumps: [
      {
        dump: join(sharedData, 'wikipedia/smallwiki-pages-articles.xml.bz2'),
        counts: {
          'documents.in': 2004,
          'documents.out': 895,
          'dropped.redirect': 147,
          'dropped.namespace': 954,
          'dropped.empty': 8,
        },
      },
      {
        dump: join(sharedData, 'wikipedia/enwiki-table-markup.xml.bz2'),
        counts: { 'documents.in': 5, 'documents.out': 5 },
      },
    ],
  },
];

for (const { name, missing, whole, dumps } of corpora)
  describe.skipIf(missing !== undefined)(`${name}${because(missing)}`, () => {
    it.each(dumps.map(({ dump, counts }) => [basename(dump), dump, counts] as const))('%s', async (_, dump, counts) => {
      const { outputs, metrics } = await ingest(dump);
      expect(metrics).toEqual(counts);
      const texts = (await outputs.documents!.rows()).map((row) => String(row.text));
      expect(texts).toHaveLength(counts['documents.out']);
      expect(texts.join('\n').match(/\{\{|\}\}|\[\[|\{\||<ref|'''|&nbsp;|\d+px/g)).toBeNull();
    });

    it('a dump cut off in the middle', async () => {
      const bytes = readFileSync(whole);
      await fails(ingest(write('cut.xml.bz2', bytes.subarray(0, bytes.length >> 1))), 'corrupt-bzip2');
    });
  });
