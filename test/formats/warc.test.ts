import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { gunzipMembers } from '../../src/formats/gzip-members.ts';
import { readWarc, targetUri, type WarcOptions } from '../../src/formats/warc.ts';
import { samples } from '../rig/project.ts';
import { sharedData, sharedDataMissing } from '../rig/shared-data.ts';
import { because } from '../rig/skipped.ts';

const real = join(sharedData, 'common-crawl');

const record = (name: string, block: string, fields: Record<string, string> = {}): string => {
  const all = {
    'WARC-Type': 'resource',
    'WARC-Target-URI': `http://example.org/${name}`,
    'Content-Length': String(Buffer.byteLength(block)),
    ...fields,
  };
  return `WARC/1.0\r\n${Object.entries(all)
    .map(([key, value]) => `${key}: ${value}\r\n`)
    .join('')}\r\n${block}\r\n\r\n`;
};

async function* chunked(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** `name` of a good record with its block's length, `!reason` of a bad one. */
async function read(
  content: string | Uint8Array,
  options: Partial<WarcOptions> & { chunk?: number } = {},
): Promise<string[]> {
  const seen: string[] = [];
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for await (const item of readWarc(chunked(bytes, options.chunk ?? 1000), { name: 'test.warc', ...options }))
    seen.push(item.ok ? `${targetUri(item.fields).slice(19)}:${item.block.length}` : `!${item.reason}`);
  return seen;
}

const members = (...records: (string | Uint8Array)[]): Buffer =>
  Buffer.concat(records.map((item) => (typeof item === 'string' ? gzipSync(item) : item)));
const a = record('a', 'alpha');
const b = record('b', 'beta '.repeat(50));
const c = record('c', 'gamma');
const incompressible = (size: number): string => {
  let state = 1;
  return Array.from({ length: size }, () =>
    String.fromCharCode(33 + ((state = (state * 48271) % 2147483647) % 90)),
  ).join('');
};
const big = record('big', incompressible(200_000));
const flip = (bytes: Buffer, at: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at]! ^= 0xff;
  return copy;
};

describe('readWarc', () => {
  test.each<[string, string | Uint8Array, string[]]>([
    ['plain', a + b + c, ['a:5', 'b:250', 'c:5']],
    ['one gzip member a record', members(a, b, c), ['a:5', 'b:250', 'c:5']],
    ['one gzip member in all', gzipSync(a + b + c), ['a:5', 'b:250', 'c:5']],
    [
      'gzip members cut anywhere',
      members(a.slice(0, 30), a.slice(30) + b.slice(0, 200), b.slice(200) + c),
      ['a:5', 'b:250', 'c:5'],
    ],
    [
      'an empty block, a folded and a lower-case field',
      record('e', '', { 'X-Note': 'one\r\n  two' }).replace('Content-Length', 'content-length') + a,
      ['e:0', 'a:5'],
    ],
    ['no blank lines after the last block', a + c.trimEnd(), ['a:5', 'c:5']],
    ['WARC/1.1', (a + b).replaceAll('WARC/1.0', 'WARC/1.1'), ['a:5', 'b:250']],
    ['a URI in angle brackets', record('x', 'x', { 'WARC-Target-URI': '<http://example.org/x>' }), ['x:1']],
    [
      'a block that looks like a record',
      record('quoting', `intro\r\n\r\n${a}`) + c,
      ['quoting:' + (9 + a.length), 'c:5'],
    ],
    ['a record longer than a chunk', big + a, ['big:200000', 'a:5']],
    ['a zero-padded end', Buffer.concat([members(a, c), Buffer.alloc(512)]), ['a:5', 'c:5']],
  ])('reads %s', async (_, content, expected) => {
    expect(await read(content)).toEqual(expected);
    expect(await read(content, { chunk: 7 })).toEqual(expected);
  });

  const bad = (length: string) => record('bad', 'some block', { 'Content-Length': length });
  test.each<[string, string, string]>([
    ['Content-Length that is no number', bad('NaN'), 'bad-length'],
    ['Content-Length that is negative', bad('-5'), 'bad-length'],
    ['Content-Length that is a fraction', bad('1e1'), 'bad-length'],
    ['Content-Length that is missing', bad('10').replace('Content-Length', 'X-Length'), 'bad-length'],
    ['Content-Length that is too short', bad('4'), 'bad-length'],
    ['Content-Length that is huge', bad('999999999999'), 'too-large'],
    ['Content-Length beyond any number', bad('9'.repeat(400)), 'bad-length'],
    ['a header of 10 MB', record('bad', 'x', { 'X-Long': 'y'.repeat(10_000_000) }), 'bad-header'],
    ['a header without an end', 'WARC/1.0\r\nWARC-Type: resource\r\n', 'truncated'],
    ['something else in its place', 'not a record at all\r\n\r\n', 'bad-header'],
  ])('skips a record with %s, in both layouts', async (_, middle, reason) => {
    expect(await read(members(a, middle, c))).toEqual(['a:5', `!${reason}`, 'c:5']);
    if (middle.endsWith('\r\n\r\n'))
      expect(await read(a + middle + c, { chunk: 65536 })).toEqual(['a:5', `!${reason}`, 'c:5']);
  });

  test('skips a record whose Content-Length is too long, and finds what it swallows in a plain file', async () => {
    expect(await read(members(a, bad('50'), c))).toEqual(['a:5', '!truncated', 'c:5']);
    expect(await read(a + bad('50') + c + b)).toEqual(['a:5', '!bad-length', 'c:5', 'b:250']);
    expect(await read(a + bad('5000') + c + b)).toEqual(['a:5', '!truncated', 'c:5', 'b:250']);
  });

  const zipped = [gzipSync(a), gzipSync(big), gzipSync(c)] as const;
  test.each<[string, Buffer, string[]]>([
    ['cut off at the end', members(zipped[0], zipped[1].subarray(0, 100_000)), ['a:5', '!truncated']],
    ['cut off in its checksum', members(zipped[0], zipped[2].subarray(0, -3)), ['a:5', '!truncated']],
    ['cut off in its header', members(zipped[0], zipped[2].subarray(0, 5)), ['a:5', '!damaged']],
    [
      'cut off in the middle of the file',
      members(zipped[0], zipped[1].subarray(0, 100_000), zipped[2], zipped[0]),
      ['a:5', '!truncated', 'c:5', 'a:5'],
    ],
    ['with a flipped byte', members(zipped[0], flip(zipped[1], 70_000), zipped[2]), ['a:5', '!damaged', 'c:5']],
    [
      'with a wrong checksum',
      members(zipped[0], flip(zipped[1], zipped[1].length - 6), zipped[2]),
      ['a:5', '!damaged', 'c:5'],
    ],
    [
      'with a wrong checksum, first in the file',
      members(flip(zipped[0], zipped[0].length - 6), zipped[2]),
      ['!damaged', 'c:5'],
    ],
  ])('skips a gzip member %s', async (_, content, expected) => {
    expect(await read(content)).toEqual(expected);
    expect(await read(content, { chunk: 65536 })).toEqual(expected);
  });

  test.each<[string, string | Uint8Array, RegExp]>([
    ['an error page', '\n<!DOCTYPE html><title>503</title>', /is a web page/],
    ['a gzipped error page', gzipSync('<html>'), /is a web page/],
    ['a list of paths', gzipSync('crawl-data/CC-MAIN-2024-22/wet/x.warc.wet.gz\n'), /is a list of paths/],
    ['text', 'Once upon a time', /is not a WARC file: it begins with "Once/],
    ['nothing', '', /is empty/],
    ['an empty gzip file', gzipSync(''), /is empty/],
  ])('refuses %s', async (_, content, message) => {
    await expect(read(content)).rejects.toMatchObject({
      diagnostic: { code: 'not-warc', message: expect.stringMatching(message) },
    });
  });

  test('closes its input when the reader stops early', async () => {
    let closed = false;
    async function* input() {
      try {
        for (;;) yield Buffer.from(a);
      } finally {
        closed = true;
      }
    }
    for await (const item of readWarc(input(), { name: 'endless' })) if (item.ok) break;
    expect(closed).toBe(true);
  });

  for (const { name, folder, missing, count } of [
    { name: 'CC-MAIN-2026-43-sample.warc.gz', folder: join(samples, 'crawl'), count: 253 },
    { name: 'CC-MAIN-2026-43-sample.warc.wet.gz', folder: join(samples, 'crawl'), count: 81 },
    { name: 'sample-0000.warc.gz', folder: real, missing: sharedDataMissing, count: 48 },
    { name: 'whirlwind.warc.gz', folder: real, missing: sharedDataMissing, count: 4 },
    { name: 'whirlwind.warc.wet.gz', folder: real, missing: sharedDataMissing, count: 2 },
  ])
    test.skipIf(missing !== undefined)(`reads all of ${name}${because(missing)}`, async () => {
      const seen = await read(readFileSync(join(folder, name)), { chunk: 65536 });
      expect(seen.filter((item) => item.startsWith('!'))).toEqual([]);
      expect(seen).toHaveLength(count);
    });
});

test('gunzipMembers gives what gunzip gives, member by member', async () => {
  const pieces: Buffer[] = [];
  let starts = 0;
  const named = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0x1c, 0, 0, 0, 0, 0, 3, 2, 0, 0x61, 0x62]),
    Buffer.from('name\0comment\0'),
    gzipSync('three').subarray(10),
  ]);
  for await (const piece of gunzipMembers(chunked(members('one', '', 'two', named), 3))) {
    expect(piece.broken).toBeUndefined();
    if (piece.start) starts++;
    pieces.push(Buffer.from(piece.bytes));
  }
  expect(Buffer.concat(pieces).toString()).toBe('onetwothree');
  expect(starts).toBe(4);
});
