import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { openSource, type SourceOptions } from '../../src/sources/source.ts';

const body = Buffer.from(Array.from({ length: 30_000 }, (_, i) => `line ${i}\n`).join(''));
const sha256 = createHash('sha256').update(body).digest('hex');
const closers: (() => void)[] = [];
afterEach(() => closers.splice(0).forEach((close) => close()));

type Answer = (request: IncomingMessage, response: ServerResponse, from: number) => void;

/** A server that answers each request in turn as told, the last answer ever after. */
async function serve(...answers: Answer[]) {
  const requests: { method: string | undefined; range: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const {
      method,
      headers: { range },
    } = request;
    requests.push({ method, range });
    const answer = answers[Math.min(requests.length, answers.length) - 1];
    answer?.(request, response, Number(/^bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closers.push(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/dumps/data.txt`;
  return { url, requests };
}

const resumed = /^bytes=[1-9]\d*-$/;
const headers = (from: number) => ({
  etag: '"v1"',
  'content-type': 'application/octet-stream',
  'content-length': body.length - from,
  ...(from > 0 ? { 'content-range': `bytes ${from}-${body.length - 1}/${body.length}` } : {}),
});
const whole: Answer = (_, response, from) =>
  response.writeHead(from > 0 ? 206 : 200, headers(from)).end(body.subarray(from));
/** Sends some bytes, then resets the connection. */
const reset =
  (bytes: number): Answer =>
  (_, response, from) => {
    response.writeHead(from > 0 ? 206 : 200, headers(from));
    response.write(body.subarray(from, from + bytes), () => setTimeout(() => response.socket?.resetAndDestroy(), 500));
  };
const status =
  (code: number, extra: Record<string, string> = {}): Answer =>
  (_, response) =>
    response.writeHead(code, extra).end('no');

async function read(uri: string, options: Partial<SourceOptions> = {}): Promise<Buffer> {
  const source = await openSource(
    { uri, name: 'data.txt' },
    { cache: mkdtempSync(join(tmpdir(), 'source-')), backoffMs: 5, ...options },
  );
  const parts: Uint8Array[] = [];
  for await (const part of source.read()) parts.push(part);
  expect(source.bytesRead).toBe(source.bytes);
  return Buffer.concat(parts);
}
const fails = (promise: Promise<unknown>, code: string, message = '') =>
  expect(promise).rejects.toMatchObject({ diagnostic: { code, message: expect.stringContaining(message) as string } });

describe('URLs', () => {
  it('resumes after resets with ranges', async () => {
    const { url, requests } = await serve(reset(100_000), reset(50_000), whole);
    expect((await read(url, { checksum: sha256 })).equals(body)).toBe(true);
    // A reset may take bytes with it that were on their way.
    expect(requests.map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(resumed),
      expect.stringMatching(resumed),
    ]);
  });

  it('begins again when the server has another version or no ranges', async () => {
    const { url, requests } = await serve(reset(100_000), (_, response) =>
      response.writeHead(200, { ...headers(0), etag: '"v2"' }).end(body),
    );
    expect((await read(url)).equals(body)).toBe(true);
    expect(requests).toHaveLength(2);
  });

  it('resumes in a later attempt, and keeps the file with what it is a version of', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'source-'));
    const { url, requests } = await serve(reset(100_000), status(500), whole);
    await fails(read(url, { cache, retries: 1 }), 'download-failed', 'status 500');
    expect((await read(url, { cache })).equals(body)).toBe(true);
    expect(requests.map(({ range }) => range)).toEqual([
      undefined,
      expect.stringMatching(resumed),
      expect.stringMatching(resumed),
    ]);
    expect(readdirSync(cache).sort()).toEqual([
      expect.stringMatching(/data\.txt$/),
      expect.stringMatching(/data\.txt\.json$/),
    ]);
  });

  it('uses a finished download as long as the server has the same or is silent, or its checksum is known', async () => {
    const cache = mkdtempSync(join(tmpdir(), 'source-'));
    let version = '"v1"';
    const { url, requests } = await serve((request, response) => {
      if (version === '') return response.writeHead(503).end();
      response.writeHead(200, { ...headers(0), etag: version });
      return request.method === 'HEAD' ? response.end() : response.end(body);
    });
    const methods = async (options: Partial<SourceOptions> = {}) => {
      requests.splice(0);
      expect((await read(url, { cache, ...options })).equals(body)).toBe(true);
      return requests.map(({ method }) => method);
    };
    expect(await methods()).toEqual(['GET']);
    expect(await methods()).toEqual(['HEAD']);
    expect(await methods({ checksum: sha256 })).toEqual([]);
    version = '"v2"';
    expect(await methods()).toEqual(['HEAD', 'GET']);
    version = '';
    expect(await methods()).toEqual(['HEAD']);
  });

  it.each([429, 403, 503])('retries %i', async (code) => {
    const { url, requests } = await serve(status(code), status(code), whole);
    expect((await read(url)).equals(body)).toBe(true);
    expect(requests).toHaveLength(3);
  });

  it('waits as long as Retry-After says', async () => {
    const { url } = await serve(status(429, { 'retry-after': '1' }), whole);
    const start = performance.now();
    await read(url);
    expect(performance.now() - start).toBeGreaterThan(950);
  });

  it('a connection that ends early is no file', async () => {
    const { url } = await serve((_, response) => {
      response.writeHead(200, headers(0));
      response.write(body.subarray(0, 1000), () => response.socket?.end());
    }, whole);
    expect((await read(url)).equals(body)).toBe(true);
  });

  it('a server that stops sending', async () => {
    const { url } = await serve(
      (_, response) => void response.writeHead(200, headers(0)).write(body.subarray(0, 1000)),
      whole,
    );
    expect((await read(url, { idleTimeoutMs: 100 })).equals(body)).toBe(true);
  });

  it('gives up with a clear error', async () => {
    const { url, requests } = await serve(status(503));
    await fails(read(url, { retries: 2 }), 'download-failed', 'status 503, 3 times in a row');
    expect(requests).toHaveLength(3);
  });

  it('nobody there', () =>
    fails(read('http://127.0.0.1:9/x', { retries: 0 }), 'download-failed', 'http://127.0.0.1:9/x'));
  it('404 is final', async () => {
    const { url, requests } = await serve(status(404));
    await fails(read(url), 'download-failed', '404');
    expect(requests).toHaveLength(1);
  });
  it('an HTML page instead of the file', async () => {
    const { url } = await serve((_, response) =>
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>Log in</html>'),
    );
    await fails(read(url), 'not-a-dump', 'HTML page');
  });
  it('a wrong checksum', async () => {
    const { url } = await serve(whole);
    await fails(read(url, { checksum: '0'.repeat(64) }), 'checksum-mismatch', sha256);
  });
  it('stops when told to', async () => {
    const { url } = await serve(status(503, { 'retry-after': '60' }));
    await expect(read(url, { signal: AbortSignal.timeout(100) })).rejects.toThrow(/abort|timeout/i);
  });
});

describe('files', () => {
  const file = (content: string | Buffer) => {
    const path = join(mkdtempSync(join(tmpdir(), 'source-')), 'data.txt');
    writeFileSync(path, content);
    return path;
  };
  it('reads', async () => expect((await read(file(body), { checksum: sha256.toUpperCase() })).equals(body)).toBe(true));
  it('missing', () => fails(read('/nowhere/x'), 'missing-source', '/nowhere/x'));
  it('empty', () => fails(read(file('')), 'empty-source'));
  it('checksum', () => fails(read(file('x'), { checksum: sha256 }), 'checksum-mismatch'));
});
