import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rowsOf } from '../rig/artifact.ts';
import { eventsOf, Project, type CliResult } from '../rig/project.ts';

/** A WARC file, a gzip member a record. */
function warc(...pages: readonly (readonly [name: string, contentType: string, html: Uint8Array | string])[]): Buffer {
  return Buffer.concat(
    pages.map(([name, contentType, html]) => {
      const block = Buffer.concat([
        Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: ${contentType}\r\n\r\n`),
        Buffer.from(html),
      ]);
      return gzipSync(
        Buffer.concat([
          Buffer.from(
            `WARC/1.0\r\nWARC-Type: response\r\nWARC-Target-URI: https://${name}.example/\r\nWARC-Record-ID: ` +
              `<urn:uuid:${name}>\r\nContent-Length: ${block.length}\r\n\r\n`,
          ),
          block,
          Buffer.from('\r\n\r\n'),
        ]),
      );
    }),
  );
}
const english =
  'A paragraph that is long enough to be taken for prose by anyone who comes to read this page in earnest. ';
const metricsOf = (result: CliResult) => eventsOf(result).find(({ type }) => type === 'stage-end')?.metrics ?? {};
const pipeline = (path: string) => ({
  'p.yaml':
    `name: p\nstages:\n  crawl: { uses: ingest-common-crawl, with: { path: "${path}", snapshot: CC-MAIN-2026-43, ` +
    `min_characters: 20 } }\n`,
});

it('reads each page in its own encoding: by header, by meta element, or sniffed', async () => {
  const cyrillic = 'Это предложение достаточно длинное, чтобы его можно было принять за текст.';
  const windows1251 = Buffer.from(cyrillic, 'utf16le').reduce<number[]>((bytes, _, i, all) => {
    if (i % 2 === 0)
      bytes.push(((code) => (code >= 0x410 && code <= 0x44f ? code - 0x350 : code))(all.readUInt16LE(i)));
    return bytes;
  }, []);
  const shiftJis = Buffer.from([
    0x82, 0xb1, 0x82, 0xcc, 0x83, 0x79, 0x81, 0x5b, 0x83, 0x57, 0x82, 0xcd, 0x93, 0xfa, 0x96, 0x7b, 0x8c, 0xea, 0x82,
    0xc5, 0x82, 0xb7, 0x81, 0x42,
  ]);
  const paragraph = (bytes: Uint8Array, head = '') =>
    Buffer.concat([Buffer.from(`${head}<p>`), bytes, Buffer.from('</p>')]);
  const project = new Project(pipeline('pages.warc.gz'));
  project.write(
    'pages.warc.gz',
    warc(
      ['header', 'text/html; charset=windows-1251', paragraph(Buffer.from(windows1251))],
      ['meta', 'text/html', paragraph(Buffer.concat([shiftJis, shiftJis]), '<meta charset="shift_jis">')],
      ['sniffed-utf8', 'text/html', paragraph(Buffer.from(`Café — ${english}`))],
      ['sniffed-latin1', 'text/html; charset=iso-8859-1', paragraph(Buffer.from(`Caf\xe9 \x96 ${english}`, 'latin1'))],
      ['misnamed', 'text/html; charset=iso-8859-1', paragraph(Buffer.from(`Café — ${english}`))],
    ),
  );
  const result = await project.run('p.yaml', '--json');
  expect(result.code, result.stdout + result.stderr).toBe(0);
  const japanese = 'このページは日本語です。';
  expect(
    (await rowsOf(project.path('outputs/p/crawl'))).map(({ url, text, meta }) => [
      /\/\/([^.]*)/.exec(url as string)?.[1],
      text,
      (JSON.parse(meta as string) as { encoding: string }).encoding,
    ]),
  ).toEqual([
    ['header', cyrillic, 'windows-1251'],
    ['meta', japanese + japanese, 'shift_jis'],
    ['sniffed-utf8', `Café — ${english.trim()}`, 'utf-8'],
    ['sniffed-latin1', `Café – ${english.trim()}`, 'windows-1252'],
    ['misnamed', `Café — ${english.trim()}`, 'utf-8'],
  ]);
});

it.each([
  ['more', (length: number) => length + 40, 'truncated'],
  ['less', (length: number) => length - 40, 'bad-length'],
])('leaves out a WET record that says it is %s than it is, and counts it', async (_, lie, reason) => {
  const record = (name: string, change = (length: number) => length) => {
    const text = english.repeat(3);
    return gzipSync(
      `WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://${name}.example/\r\nWARC-Record-ID: ` +
        `<urn:uuid:${name}>\r\nContent-Length: ${change(text.length)}\r\n\r\n${text}\r\n\r\n`,
    );
  };
  const project = new Project(pipeline('a.warc.wet.gz'));
  project.write('a.warc.wet.gz', Buffer.concat([record('one'), record('two', lie), record('three')]));
  const result = await project.run('p.yaml', '--json', '--set', 'stages.crawl.with.max_bad_records=0.5');
  expect(metricsOf(result)).toMatchObject({ 'documents.out': 2, [`records.${reason}`]: 1 });
  expect((await rowsOf(project.path('outputs/p/crawl'))).map(({ url }) => url)).toEqual([
    'https://one.example/',
    'https://three.example/',
  ]);
});

const noise = Array.from({ length: 40_000 }, (_, i) => Math.imul(i, 2654435761).toString(36)).join(' ');
const body = warc(['one', 'text/html', `<p>${english}</p><!--${noise}-->`], ['two', 'text/html', `<p>${english}</p>`]);
const requests: { range: string | undefined; at: number }[] = [];
/** What becomes of one request after another; the last answer is also that to all later ones. */
const answers: ((from: number, response: ServerResponse) => void)[] = [
  (_, response) => response.writeHead(429, { 'retry-after': '1' }).end(),
  (_, response) => response.writeHead(403).end(),
  (_, response) => {
    response.writeHead(200, { etag: '"v"', 'content-length': body.length, 'accept-ranges': 'bytes' });
    response.write(body.subarray(0, body.length >> 1), () => setTimeout(() => response.destroy(), 100));
  },
  (from, response) =>
    response
      .writeHead(206, {
        etag: '"v"',
        'content-length': body.length - from,
        'content-range': `bytes ${from}-${body.length - 1}/${body.length}`,
      })
      .end(body.subarray(from)),
];
const server = createServer((request, response) => {
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  requests.push({ range: request.headers.range, at: performance.now() });
  answers[Math.min(requests.length, answers.length) - 1]?.(from, response);
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

it(
  'one run gets a file from a server that refuses, then breaks off: it waits as told, backs off, and goes on where ' +
    'it was',
  async () => {
    const project = new Project(pipeline(`http://127.0.0.1:${(server.address() as AddressInfo).port}/a.warc.gz`));
    const result = await project.run('p.yaml', '--json');
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(metricsOf(result)).toMatchObject({ 'documents.out': 2 });
    expect(requests.map(({ range }) => range)).toEqual([
      undefined,
      undefined,
      undefined,
      expect.stringMatching(/^bytes=[1-9]\d*-$/),
    ]);
    const waits = requests.slice(1).map(({ at }, i) => at - requests[i]!.at);
    expect(waits[0]).toBeGreaterThan(950); // Retry-After: 1
    expect(waits[1]).toBeGreaterThan(200); // its own back-off
  },
);
