import { execFileSync } from 'node:child_process';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { decompress, type DecompressLimits } from '../../src/formats/decompress.ts';
import { because } from '../rig/skipped.ts';

/** Long enough for several 100 kB blocks, with runs for the run-length stages. */
const text = Buffer.from(
  Array.from(
    { length: 20_000 },
    (_, i) => `line ${i} ${(i * 2_654_435_761) % 1_000_003} ${'='.repeat(i % 300)}\n`,
  ).join(''),
);
const bzip2 = (data: Buffer, level = 1) => execFileSync('bzip2', [`-${level}c`], { input: data, maxBuffer: 1 << 28 });
const missing = ((): string | undefined => {
  try {
    bzip2(Buffer.from('x'));
    return undefined;
  } catch {
    console.log('skipped: there is no bzip2');
    return 'there is no bzip2';
  }
})();

async function run(data: Uint8Array, limits?: DecompressLimits, chunkBytes = 1 << 16): Promise<Buffer> {
  async function* chunks() {
    for (let at = 0; at < data.length; at += chunkBytes) yield data.subarray(at, at + chunkBytes);
  }
  const parts: Uint8Array[] = [];
  for await (const part of decompress(chunks(), 'data', limits)) parts.push(part);
  return Buffer.concat(parts);
}
const fails = (promise: Promise<unknown>, code: string, message = '') =>
  expect(promise).rejects.toMatchObject({ diagnostic: { code, message: expect.stringContaining(message) as string } });

describe('plain and gzip', () => {
  it('passes plain bytes through', async () => expect((await run(text)).equals(text)).toBe(true));
  it('reads an empty stream', async () => expect((await run(new Uint8Array(0))).length).toBe(0));
  it.each([1, 3, 1000, 1 << 20])('gzip members in chunks of %i bytes', async (chunkBytes) => {
    const small = text.subarray(0, 30_000);
    expect(await run(Buffer.concat([gzipSync(small), gzipSync('and more')]), {}, chunkBytes)).toEqual(
      Buffer.concat([small, Buffer.from('and more')]),
    );
  });
  it('allows zeros behind the last member', async () =>
    expect(String(await run(Buffer.concat([gzipSync('a'), Buffer.alloc(512)])))).toBe('a'));
  it('truncated', () => fails(run(gzipSync(text).subarray(0, -20)), 'truncated-gzip'));
  it('a flipped bit', () => {
    const data = gzipSync(text);
    data[data.length >> 1]! ^= 16;
    return fails(run(data), 'corrupt-gzip');
  });
  it('something else behind the last member', () =>
    fails(run(Buffer.concat([gzipSync(text), Buffer.from('garbage')])), 'corrupt-gzip'));
  it('something else behind zeros', () =>
    fails(run(Buffer.concat([gzipSync(text), Buffer.from('\0garbage')])), 'corrupt-gzip', '8 bytes that are not gzip'));
  it('a bomb, by size', () => fails(run(gzipSync(Buffer.alloc(1 << 20)), { maxBytes: 1000 }), 'too-large'));
  it('a bomb, by ratio', () => fails(run(gzipSync(Buffer.alloc(80 << 20)), { maxRatio: 500 }), 'decompression-bomb'));
});

describe('bzip2', () => {
  it('needs no bzip2 to read a stream', async () => {
    const hello = Buffer.from('QlpoOTFBWSZTWYV0bkEAAALRAAAQQAACRKAAMMAEpphSDcKGF3JFOFCQhXRuQQ==', 'base64');
    expect(String(await run(hello, {}, 5))).toBe('hello hello\n');
  });
  describe.skipIf(missing !== undefined)(`what bzip2 compressed${because(missing)}`, () => {
    it('blocks and streams at levels 1 and 9', async () => {
      expect((await run(bzip2(text, 1))).equals(text)).toBe(true);
      expect(
        (
          await run(Buffer.concat([bzip2(text, 9), bzip2(Buffer.from('')), bzip2(Buffer.from('more'))]), {}, 997)
        ).equals(Buffer.concat([text, Buffer.from('more')])),
      ).toBe(true);
    });
    it.each([
      ['half', 0.5],
      ['all but the last byte', 1],
    ])('truncated to %s', (_, share) => {
      const data = bzip2(text);
      return fails(
        run(data.subarray(0, Math.min(data.length - 1, Math.floor(data.length * share)))),
        'corrupt-bzip2',
        'truncated',
      );
    });
    it('a flipped bit anywhere is noticed', async () => {
      const data = bzip2(text.subarray(0, 20_000));
      // Without its magic bytes it is plain data; level 9 for 1 in the header only means more room.
      expect(data.length).toBeGreaterThan(1000);
      for (let at = 4; at < data.length - 1; at += Math.ceil(data.length / 60)) {
        const damaged = Buffer.from(data);
        damaged[at]! ^= 1 << (at % 8);
        await fails(run(damaged), 'corrupt-bzip2');
      }
    });
    it('something else behind the last stream', () =>
      fails(run(Buffer.concat([bzip2(text), Buffer.from('garbage')])), 'corrupt-bzip2', 'not bzip2'));
    it('a bomb', () => fails(run(bzip2(Buffer.alloc(80 << 20), 9)), 'decompression-bomb'));
  });
});
