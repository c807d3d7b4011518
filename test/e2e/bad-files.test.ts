import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { bunzip2 } from '../../src/formats/bzip2.ts';
import { rowsOf } from '../rig/artifact.ts';
import { eventsOf, Project } from '../rig/project.ts';

const sample = (path: string): Buffer => readFileSync(new URL(`../../samples/${path}`, import.meta.url));
const dump = sample('wikipedia/mossewiki-20261001-pages-articles.xml.bz2');
const warc = sample('crawl/CC-MAIN-2026-38-sample.warc.gz');
const book = sample('books/six-walks-in-the-vale.txt');
const xml = await unpack(dump);
const page = Buffer.from(
  '<!DOCTYPE html><html><head><title>404 Not Found</title></head><body>No such file.</body></html>',
);
const noise = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * i * 31 + i * 7) % 256));

/** The WARC, plain, with another Content-Length in its third record. */
function withLength(length: string): Buffer {
  const plain = gunzipSync(warc).toString('latin1');
  let record = 0;
  return Buffer.from(
    plain.replace(/^Content-Length: \d+/gm, (line) => (record++ === 4 ? `Content-Length: ${length}` : line)),
    'latin1',
  );
}

function damaged(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 0x55;
  return copy;
}

async function unpack(bytes: Buffer): Promise<Buffer> {
  async function* chunks() {
    yield bytes;
  }
  const parts: Uint8Array[] = [];
  for await (const part of bunzip2(chunks(), 'sample')) parts.push(part);
  return Buffer.concat(parts);
}

type BadFile = readonly [what: string, name: string, bytes: Uint8Array, code: string, message: string];

const bad: readonly (readonly [uses: string, property: string, files: readonly BadFile[]])[] = [
  [
    'ingest-wikipedia',
    'dump',
    [
      ['a truncated .bz2', 'a.xml.bz2', dump.subarray(0, 40_000), 'corrupt-bzip2', 'truncated'],
      ['a damaged .bz2', 'a.xml.bz2', damaged(dump, 30_000), 'corrupt-bzip2', 'a.xml.bz2'],
      ['a truncated .gz', 'a.xml.gz', gzipSync(xml).subarray(0, 40_000), 'truncated-gzip', 'ends before its end mark'],
      ['a truncated .xml', 'a.xml', xml.subarray(0, xml.length - 1000), 'truncated-dump', '</mediawiki>'],
      ['a web page', 'a.xml.bz2', page, 'not-a-dump', 'HTML page'],
      ['a picture', 'a.jpg', noise, 'not-a-dump', 'not a MediaWiki dump'],
      [
        'Latin-1',
        'a.xml',
        Buffer.from(xml.toString('latin1').replace(/town/g, 't\xf6wn'), 'latin1'),
        'not-utf8',
        'invalid UTF-8',
      ],
      ['an empty file', 'a.xml.bz2', Buffer.alloc(0), 'empty-source', 'is empty'],
    ],
  ],
  [
    'ingest-common-crawl',
    'path',
    [
      [
        'a truncated .warc.gz',
        'a.warc.gz',
        warc.subarray(0, 150_000),
        'truncated-warc',
        'ends in the middle of a record',
      ],
      [
        'a truncated .warc',
        'a.warc',
        gunzipSync(warc).subarray(0, 150_000),
        'truncated-warc',
        'ends in the middle of a record',
      ],
      [
        'a Content-Length that is too large',
        'a.warc',
        withLength('9999999999'),
        'bad-records',
        'Content-Length is 9999999999',
      ],
      [
        'a Content-Length that is too small',
        'a.warc',
        withLength('10'),
        'bad-records',
        'something follows the 10 bytes',
      ],
      ['a Content-Length that is no number', 'a.warc', withLength('lots'), 'bad-records', 'Content-Length is "lots"'],
      ['a web page', 'a.warc.gz', page, 'not-warc', 'is a web page'],
      ['a picture', 'a.jpg', noise, 'not-warc', 'is not a WARC file'],
      [
        'a list of paths',
        'a.txt',
        Buffer.from('crawl-data/CC-MAIN-2026-43/segments/1/wet/1.warc.wet.gz\n'),
        'not-warc',
        'list of paths',
      ],
    ],
  ],
  [
    'ingest-books',
    'path',
    [
      [
        'a truncated .txt.gz',
        'a.txt.gz',
        gzipSync(book).subarray(0, 3000),
        'truncated-gzip',
        'ends before its end mark',
      ],
      ['a ZIP archive', 'books.zip', Buffer.concat([Buffer.from('PK\x03\x04'), noise]), 'damaged-archive', 'books.zip'],
      ['a damaged EPUB', 'a.epub', Buffer.concat([Buffer.from('PK\x03\x04'), noise]), 'damaged-archive', 'a.epub'],
      ['a damaged .parquet', 'a.parquet', Buffer.concat([Buffer.from('PAR1'), noise]), 'damaged-parquet', 'a.parquet'],
      ['text that says it is .jsonl', 'a.jsonl', book, 'not-json-lines', 'line 1'],
      ['a picture', 'cover.jpg', noise, 'contract-broken', 'is empty'],
    ],
  ],
];

describe.each([...bad])('%s says one clear thing about', (uses, property, files) => {
  it.each([...files])('%s', async (_, name, bytes, code, message) => {
    const project = new Project({ 'p.yaml': pipeline(uses, property, name) });
    project.write(name, bytes);
    expect(await failureOf(project)).toEqual({ code, message: expect.stringContaining(message) as string });
  });

  it('an empty folder', async () => {
    const project = new Project({ 'p.yaml': pipeline(uses, property, 'folder'), 'folder/.keep': '' });
    const { code, stderr } = await project.run('p.yaml');
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/^error: s: no file matches .*folder \[source-not-found\]\n/),
    ]);
  });
});

it.each([
  ['Latin-1', Buffer.from('Café déjà vu.', 'latin1'), 'Café déjà vu.', 'windows-1252'],
  [
    'GBK',
    Buffer.from('cfc2d3eab5c4cab1baf2a3accbfbcfb2bbb6d7f8d4dab4b0c7b0bfb4cae9a1a3', 'hex'),
    '下雨的时候，他喜欢坐在窗前看书。',
    'gb18030',
  ],
  [
    'UTF-16',
    Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('Café déjà vu.', 'utf16le')]),
    'Café déjà vu.',
    'utf-16le',
  ],
])('a book in %s is read as such', async (_, bytes, text, encoding) => {
  const project = new Project({ 'p.yaml': pipeline('ingest-books', 'path', 'a.txt') });
  project.write('a.txt', bytes);
  const { code, stdout } = await project.run('p.yaml');
  expect(code, stdout).toBe(0);
  expect(stdout.includes('is not UTF-8')).toBe(!encoding.startsWith('utf'));
  expect(await rowsOf(project.path('outputs/bad/s'))).toMatchObject([
    { text, meta: expect.stringContaining(`"${encoding}"`) as string },
  ]);
});

function pipeline(uses: string, property: string, name: string): string {
  const more =
    { 'ingest-wikipedia': ', snapshot: 2026-01-01', 'ingest-common-crawl': ', max_bad_records: 0' }[uses] ?? '';
  return `name: bad\nstages:\n  s: { uses: ${uses}, with: { ${property}: ${name}${more} } }\n`;
}

/** What the run says is wrong, which must be one thing, without a stack. */
async function failureOf(project: Project): Promise<{ code: string; message: string }> {
  const result = await project.run('p.yaml', '--json');
  expect(result.code).toBe(1);
  expect(result.stdout + result.stderr).not.toMatch(/\n\s+at /);
  const [failed, ...others] = eventsOf(result).flatMap((event) =>
    event.type === 'stage-end' && event.diagnostic ? [event.diagnostic] : [],
  );
  expect(others).toEqual([]);
  return { code: failed!.code, message: failed!.message };
}
