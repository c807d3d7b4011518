import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { eventsOf, Project } from '../rig/project.ts';

const sentence = (word: string) =>
  `This page is about the ${word} and says a good deal more than a line about it, so that it is kept. `;
/** A WET file, padded with noise so that it takes a while to send. */
function wet(words: readonly string[], padding = 0): Buffer {
  const records = words
    .map((word) => [word, sentence(word).repeat(5)])
    .concat(
      padding === 0 ? [] : [['noise', Array.from({ length: padding }, () => Math.random().toString(36)).join(' ')]],
    );
  return Buffer.concat(
    records.map(([word, text]) => {
      const body = Buffer.from(text!);
      return gzipSync(
        `WARC/1.0\r\nWARC-Type: conversion\r\nWARC-Target-URI: https://${word}.example/\r\nWARC-Record-ID: ` +
          `<urn:uuid:${word}>\r\nContent-Length: ${body.length}\r\n\r\n${body.toString()}\r\n\r\n`,
      );
    }),
  );
}
const files = new Map([
  ['/crawl-data/a.warc.wet.gz', wet(['river', 'bridge'])],
  ['/crawl-data/b.warc.wet.gz', wet(['mountain'], 20_000)],
]);

const requests: string[] = [];
/** Paths whose next answer is 503, or stops after half of the file until the test says so. */
const busy = new Set<string>();
let halfway: { path: string; reached: () => void } | undefined;
const server = createServer((request, response) => {
  const path = request.url ?? '';
  const body = files.get(path);
  const from = Number(/^bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0);
  requests.push(`${request.method} ${path}${from > 0 ? ' rest' : ''}`);
  if (body === undefined) return void response.writeHead(404).end();
  if (busy.delete(path)) return void response.writeHead(503, { 'retry-after': '0' }).end();
  response.writeHead(from > 0 ? 206 : 200, {
    etag: `"${body.length}"`,
    'content-length': body.length - from,
    ...(from > 0 ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
  });
  if (request.method === 'HEAD') return void response.end();
  if (halfway?.path === path) {
    const { reached } = halfway;
    halfway = undefined;
    response.write(body.subarray(from, body.length >> 1), () => setTimeout(reached, 200));
  } else response.end(body.subarray(from));
});

let base = '';
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => void requests.splice(0));

function project(
  listing: string | Uint8Array = gzipSync('crawl-data/a.warc.wet.gz\ncrawl-data/b.warc.wet.gz\n'),
  path = 'wet.paths.gz',
): Project {
  const made = new Project({
    'p.yaml':
      `name: p\nstages:\n  crawl: { uses: ingest-common-crawl, with: { path: ${path}, base_url: "${base}", ` +
      `snapshot: CC-MAIN-2026-43 } }\n`,
  });
  if (!path.startsWith('http')) made.write(path, listing);
  return made;
}
const metrics = (result: { stdout: string }) =>
  eventsOf(result).find(({ type }) => type === 'stage-end')?.metrics ?? {};

it('reads what a listing names, each file an action of its own, and fetches nothing twice', async () => {
  const made = project();
  busy.add('/crawl-data/a.warc.wet.gz');
  const first = await made.run('p.yaml', '--json');
  expect(first.code, first.stdout + first.stderr).toBe(0);
  expect(metrics(first)).toMatchObject({ 'documents.out': 4 });
  expect(eventsOf(first).filter(({ type }) => type === 'action-end')).toHaveLength(2);
  expect(requests.filter((request) => request.startsWith('GET')).sort()).toEqual([
    'GET /crawl-data/a.warc.wet.gz',
    'GET /crawl-data/a.warc.wet.gz',
    'GET /crawl-data/b.warc.wet.gz',
  ]);

  requests.splice(0);
  const changed = await made.run('p.yaml', '--json', '--set', 'stages.crawl.with.min_characters=1000');
  expect(metrics(changed)).toMatchObject({ 'dropped.too-short': 3, 'documents.out': 1 });
  expect(requests.sort()).toEqual(['HEAD /crawl-data/a.warc.wet.gz', 'HEAD /crawl-data/b.warc.wet.gz']);

  requests.splice(0);
  files.set('/crawl-data/c.warc.wet.gz', wet(['forest']));
  made.write(
    'wet.paths.gz',
    gzipSync('crawl-data/a.warc.wet.gz\ncrawl-data/b.warc.wet.gz\ncrawl-data/c.warc.wet.gz\n'),
  );
  expect(metrics(await made.run('p.yaml', '--json'))).toMatchObject({ 'documents.out': 5 });
  expect(requests).toEqual(['GET /crawl-data/c.warc.wet.gz']);
});

it('goes on in the middle of a file after a kill, and forgets downloads with cache gc', async () => {
  const made = project();
  const reached = new Promise<void>((resolve) => {
    halfway = { path: '/crawl-data/b.warc.wet.gz', reached: resolve };
  });
  const { child, ended } = made.start(['p.yaml', '--json']);
  await reached;
  child.kill('SIGKILL');
  await ended;
  requests.splice(0);
  const result = await made.run('p.yaml', '--json');
  expect(metrics(result)).toMatchObject({ 'documents.out': 4 });
  expect(requests.filter((request) => request.startsWith('GET /crawl-data/b'))).toEqual([
    'GET /crawl-data/b.warc.wet.gz rest',
  ]);

  const downloads = made.path('.run-pipeline/downloads');
  expect(readdirSync(downloads).filter((name) => name.endsWith('.gz'))).toHaveLength(2);
  await made.run('cache', 'gc', '--keep-days', '0');
  expect(readdirSync(downloads)).toEqual([]);
  expect(await made.states('p.yaml')).toEqual({ crawl: 'cached' });
});

it('reads a listing of local files beside it', async () => {
  const made = project('# a comment\nwet/a.warc.wet.gz\n', 'lists/own.paths');
  mkdirSync(made.path('lists/wet'));
  writeFileSync(made.path('lists/wet/a.warc.wet.gz'), files.get('/crawl-data/a.warc.wet.gz')!);
  expect(metrics(await made.run('p.yaml', '--json', '--set', 'stages.crawl.with.base_url='))).toMatchObject({
    'documents.out': 2,
  });
});

it.each([
  ['on a server', undefined, 'http://127.0.0.1:9/wet.paths.gz', /Download it once/],
  ['that is empty', '\n', 'a.paths', /does not list any files/],
  ['that is an error page', '<html>Not found</html>', 'a.paths', /is not a list of files/],
  ['that is cut off', gzipSync('crawl-data/a.warc.wet.gz').subarray(0, 20), 'a.paths.gz', /cannot read a\.paths\.gz/],
])('refuses a listing %s before anything runs', async (_, content, path, message) => {
  const { code, stderr, stdout } = await project(content, path).run('p.yaml');
  expect(code).toBe(2);
  expect(stdout + stderr).toMatch(message);
  expect(requests).toEqual([]);
});
