import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import stage from '../../stages/ingest-common-crawl/index.ts';
import { samples } from '../rig/project.ts';
import { runStage } from '../rig/run-stage.ts';
import { sharedData, sharedDataMissing } from '../rig/shared-data.ts';
import { because } from '../rig/skipped.ts';

const folder = mkdtempSync(join(tmpdir(), 'crawl-'));
const real = join(sharedData, 'common-crawl');
const prose =
  'A paragraph that is long enough to be taken for prose by anyone who comes to read this page in earnest. ';
const html = (title: string) => `<title>${title}</title><nav>Home</nav><p>${prose}</p><p>${prose.repeat(2)}</p>`;

let serial = 0;
function record(type: string, block: Uint8Array | string, fields: Record<string, string> = {}): Buffer {
  const all = {
    'WARC-Type': type,
    'WARC-Record-ID': `<urn:uuid:${++serial}>`,
    'WARC-Date': '2026-10-01T00:00:00Z',
    'WARC-Target-URI': `http://example.org/${serial}`,
    'Content-Length': String(Buffer.byteLength(block)),
    ...fields,
  };
  const header = `WARC/1.0\r\n${Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\r\n`)
    .join('')}\r\n`;
  return Buffer.concat([Buffer.from(header), Buffer.from(block), Buffer.from('\r\n\r\n')]);
}

function response(
  body: Uint8Array | string,
  headers = 'Content-Type: text/html; charset=utf-8',
  status = '200 OK',
  fields: Record<string, string> = {},
): Buffer {
  return record(
    'response',
    Buffer.concat([Buffer.from(`HTTP/1.1 ${status}\r\n${headers}\r\n\r\n`), Buffer.from(body)]),
    fields,
  );
}

const info = record('warcinfo', 'isPartOf: CC-MAIN-2026-43\r\npublisher: test\r\n');
const chunkedBody = (text: string) => {
  const [first, second] = [text.slice(0, Math.ceil(text.length / 2)), text.slice(Math.ceil(text.length / 2))];
  const length = (part: string) => part.length.toString(16);
  return `${length(first)}\r\n${first}\r\n${length(second)};x=y\r\n${second}\r\n0\r\n\r\n`;
};

async function ingest(name: string, records: readonly Uint8Array[], config: Record<string, unknown> = {}) {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(name.endsWith('.gz') ? records.map((item) => gzipSync(item)) : records));
  const { outputs, metrics } = await runStage(stage, {
    type: 'ingest-common-crawl',
    config: { path: 'x', ...config },
    sources: { path: [path] },
  });
  return {
    rows: await outputs.documents!.rows(),
    metrics,
    digests: outputs.documents!.manifest.files.map((file) => file.digest),
  };
}

describe('ingest-common-crawl', () => {
  test.each(['pages.warc', 'pages.warc.gz'])('reads pages from %s', async (name) => {
    serial = 100;
    const { rows, metrics } = await ingest(name, [
      info,
      record('request', 'GET / HTTP/1.1\r\n\r\n'),
      response(html('One')),
      record('metadata', 'x: y'),
      response(html('Two')),
    ]);
    expect(rows.map((row) => row.title)).toEqual(['One', 'Two']);
    expect(rows[0]).toEqual({
      id: 'common-crawl:102',
      source: 'common-crawl',
      snapshot: 'CC-MAIN-2026-43',
      url: 'http://example.org/102',
      title: 'One',
      text: `${prose.trim()}\n\n${prose.repeat(2).trim()}`,
      lang: '',
      meta: '{"date":"2026-10-01T00:00:00Z","encoding":"utf-8"}',
    });
    expect(metrics).toMatchObject({ records: 5, 'documents.in': 2, 'documents.out': 2 });
  });

  test.each<[string, Buffer, string | undefined]>([
    ['chunked', response(chunkedBody(html('x')), 'Content-Type: text/html\r\nTransfer-Encoding: chunked'), undefined],
    [
      'chunked says the header, not the body',
      response(html('x'), 'Content-Type: text/html\r\nTransfer-Encoding: chunked'),
      undefined,
    ],
    ['gzip', response(gzipSync(html('x')), 'Content-Type: text/html\r\nContent-Encoding: gzip'), undefined],
    [
      'gzip says the header, not the body',
      response(html('x'), 'Content-Type: text/html\r\nContent-Encoding: gzip'),
      undefined,
    ],
    ['br', response(brotliCompressSync(html('x')), 'content-type: text/html\r\ncontent-encoding: br'), undefined],
    ['deflate', response(deflateSync(html('x')), 'Content-Type: text/html\r\nContent-Encoding: deflate'), undefined],
    [
      'raw deflate',
      response(deflateRawSync(html('x')), 'Content-Type: text/html\r\nContent-Encoding: deflate'),
      undefined,
    ],
    ['XHTML', response(html('x'), 'Content-Type: application/xhtml+xml'), undefined],
    ['HTML as a resource', record('resource', html('x'), { 'Content-Type': 'text/html' }), undefined],
    [
      'a damaged gzip body',
      response(gzipSync(html('x')).subarray(0, 40), 'Content-Type: text/html\r\nContent-Encoding: gzip'),
      'encoding',
    ],
    [
      'a gzip bomb',
      response(gzipSync(Buffer.alloc(20 << 20)), 'Content-Type: text/html\r\nContent-Encoding: gzip'),
      'too-large',
    ],
    ['a page of 9 MB', response('x'.repeat(9 << 20)), 'too-large'],
    ['a PDF', response('%PDF', 'Content-Type: application/pdf'), 'content-type'],
    ['an error', response(html('x'), 'Content-Type: text/html', '404 Not Found'), 'http-status'],
    ['no HTTP', record('response', 'SSH-2.0'), 'not-http'],
    ['no text', response('<script>x</script>'), 'no-text'],
    ['little text', response(`<p>${prose}</p>`), 'too-short'],
  ])('%s', async (_, item, reason) => {
    const { rows, metrics } = await ingest('one.warc', [info, item]);
    expect(metrics).toMatchObject({
      'documents.in': 1,
      ...(reason === undefined ? { 'documents.out': 1 } : { [`dropped.${reason}`]: 1 }),
    });
    if (reason === undefined)
      expect(rows[0]).toMatchObject({ title: 'x', text: `${prose.trim()}\n\n${prose.repeat(2).trim()}` });
  });

  test('reads WET: title from the first line, language as ISO 639-1', async () => {
    const wet = record('conversion', `The title\n${prose}   \n\n\n\n${prose}${prose}`, {
      'Content-Type': 'text/plain',
      'WARC-Identified-Content-Language': 'spa,eng',
    });
    const { rows } = await ingest('text.wet.gz', [info, wet], { snapshot: 'mine', source: 'cc-news' });
    expect(rows[0]).toMatchObject({
      title: 'The title',
      text: `The title\n${prose.trim()}\n\n${(prose + prose).trim()}`,
      lang: 'es',
      snapshot: 'mine',
      source: 'cc-news',
    });
  });

  test('skips damaged records up to a share, then fails and says so', async () => {
    const bad = response(html('bad'), undefined, undefined, { 'Content-Length': 'NaN' });
    const records = [info, response(html('a')), bad, response(html('b'))];
    const { rows, metrics } = await ingest('bad.warc.gz', records, { max_bad_records: 0.25 });
    expect(rows.map((row) => row.title)).toEqual(['a', 'b']);
    expect(metrics).toMatchObject({ records: 4, 'records.bad-length': 1, 'documents.in': 2, 'documents.out': 2 });
    await expect(ingest('bad.warc.gz', records)).rejects.toMatchObject({
      diagnostic: { code: 'bad-records', message: expect.stringMatching(/1 of 4 records/) },
    });
  });

  test('a file that is cut off fails, however small the share, unless told to take what there is', async () => {
    const records = [info, ...Array.from({ length: 300 }, (_, i) => response(html(`page ${i}`)))];
    records.push(records.pop()!.subarray(0, 200));
    await expect(ingest('cut.warc', records)).rejects.toMatchObject({
      diagnostic: { code: 'truncated-warc', message: expect.stringContaining('after 300 others') },
    });
    const { metrics } = await ingest('cut.warc', records, { max_bad_records: 1 });
    expect(metrics).toMatchObject({ 'records.truncated': 1, 'documents.out': 299 });
  });

  test('stops after max_documents', async () => {
    const { rows } = await ingest('many.warc.gz', [info, ...['a', 'b', 'c'].map((title) => response(html(title)))], {
      max_documents: 2,
    });
    expect(rows.map((row) => row.title)).toEqual(['a', 'b']);
  });

  test.each([
    ['page.warc.gz', '<!DOCTYPE html><title>403</title>', /is a web page/],
    ['wet.paths.gz', 'crawl-data/CC-MAIN-2026-43/segments/x.warc.wet.gz\n', /is a list of paths/],
  ])('refuses %s', async (name, content, message) => {
    await expect(ingest(name, [Buffer.from(content)])).rejects.toMatchObject({
      diagnostic: { code: 'not-warc', message: expect.stringMatching(message) },
    });
  });

  for (const { name, folder: at, missing, pages, kept } of [
    { name: 'CC-MAIN-2026-38-sample.warc.gz', folder: join(samples, 'crawl'), pages: 84, kept: 79 },
    { name: 'CC-MAIN-2026-43-sample.warc.wet.gz', folder: join(samples, 'crawl'), pages: 80, kept: 80 },
    { name: 'sample-0000.warc.gz', folder: real, missing: sharedDataMissing, pages: 22, kept: 22 },
    { name: 'whirlwind.warc.gz', folder: real, missing: sharedDataMissing, pages: 1, kept: 1 },
    { name: 'whirlwind.warc.wet.gz', folder: real, missing: sharedDataMissing, pages: 1, kept: 1 },
  ])
    test.skipIf(missing !== undefined)(`reads all of ${name}${because(missing)}`, async () => {
      const run = () =>
        runStage(stage, { type: 'ingest-common-crawl', config: { path: 'x' }, sources: { path: [join(at, name)] } });
      const first = await run();
      expect(first.metrics).toMatchObject({ 'documents.in': pages, 'documents.out': kept });
      const rows = await first.outputs.documents!.rows();
      expect(rows).toHaveLength(kept);
      for (const row of rows) expect(row.text).not.toMatch(/<\/?[a-z]+>|\ufffd/);
      expect((await run()).outputs.documents!.manifest).toEqual(first.outputs.documents!.manifest);
    });
});
