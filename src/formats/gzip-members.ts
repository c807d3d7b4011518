import { createInflateRaw, crc32, type InflateRaw } from 'node:zlib';
import { ByteQueue } from './byte-queue.ts';

/**
 * A piece of a byte stream. `start` is set at the beginning of a gzip member, whose predecessor may have been cut off,
 * and at the first byte. `broken` is set when the member is damaged or cut off at this point.
 */
export interface Piece {
  readonly bytes: Uint8Array;
  readonly start?: true;
  readonly broken?: 'header' | 'data' | 'checksum' | 'cut off';
}

/**
 * Decompress a multi-member gzip stream member by member (RFC 1952), checking each one's CRC and length. Unlike with
 * `zlib.createGunzip`, a damaged member does not end the stream: it is reported, and reading continues with the next
 * member. Bytes that are not gzip pass through unchanged.
 */
export async function* gunzipMembers(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Piece> {
  const input = new ByteQueue(chunks[Symbol.asyncIterator]());
  try {
    if (!(await input.startsWithGzip())) {
      let start: { start?: true } = { start: true };
      for (let bytes = await input.take(); bytes !== undefined; bytes = await input.take()) {
        yield { bytes, ...start };
        start = {};
      }
      return;
    }
    while (await input.seekGzip()) yield* inflateMember(input);
  } finally {
    await input.close();
  }
}

const empty = new Uint8Array(0);
const sliceBytes = 64 * 1024;

/**
 * One member. Leaves the queue after its trailer or, if it is damaged, near its beginning, to look for the next one.
 */
async function* inflateMember(input: ByteQueue): AsyncGenerator<Piece> {
  const headerBytes = await gzipHeaderLength(input);
  if (headerBytes === undefined) {
    input.skip(1);
    yield { bytes: empty, start: true, broken: 'header' };
    return;
  }
  input.skip(headerBytes);
  input.mark();
  const inflate = createInflateRaw({ chunkSize: sliceBytes });
  const state = { output: [] as Uint8Array[], ended: false, error: undefined as Error | undefined };
  inflate.on('data', (bytes: Buffer) => state.output.push(bytes));
  inflate.on('end', () => (state.ended = true));
  inflate.on('error', (error) => (state.error = error));
  let crc = 0;
  let length = 0;
  let consumed = 0;
  let start: { start?: true } = { start: true };
  try {
    for (;;) {
      const slice = await input.peek(sliceBytes);
      if (slice.length === 0) {
        input.rewind();
        yield { bytes: empty, ...start, broken: 'cut off' };
        return;
      }
      await write(inflate, slice);
      for (const bytes of state.output) {
        crc = crc32(bytes, crc);
        length = (length + bytes.length) >>> 0;
        yield { bytes, ...start };
        start = {};
      }
      state.output = [];
      if (state.error !== undefined) {
        input.rewind();
        yield { bytes: empty, ...start, broken: 'data' };
        return;
      }
      const used = inflate.bytesWritten - consumed;
      consumed += used;
      input.skip(used);
      if (used < slice.length || state.ended) break;
    }
  } finally {
    inflate.destroy();
  }
  const trailer = await input.peek(8);
  if (trailer.length < 8) {
    input.skip(trailer.length);
    yield { bytes: empty, ...start, broken: 'cut off' };
    return;
  }
  const view = new DataView(trailer.buffer, trailer.byteOffset, 8);
  input.skip(8);
  input.unmark();
  if (view.getUint32(0, true) !== crc || view.getUint32(4, true) !== length)
    yield { bytes: empty, ...start, broken: 'checksum' };
  else if (start.start) yield { bytes: empty, ...start };
}

/** Resolves when the slice has been processed, even if the data are damaged. */
function write(inflate: InflateRaw, slice: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      inflate.off('error', done);
      inflate.off('end', done);
      resolve();
    };
    inflate.once('error', done);
    inflate.once('end', done);
    inflate.write(slice, done);
  });
}

/** Bytes of the member's header, or `undefined` when it is damaged or over 64 KiB. */
async function gzipHeaderLength(input: ByteQueue): Promise<number | undefined> {
  const bytes = await input.peek(sliceBytes);
  const flags = bytes[3] ?? 0;
  if (bytes.length < 10 || (flags & 0xe0) !== 0) return undefined;
  let at = 10;
  if (flags & 4) at += 2 + (bytes[at] ?? 0) + 256 * (bytes[at + 1] ?? 0);
  for (const flag of [8, 16]) if (flags & flag) at = bytes.indexOf(0, at) + 1 || Infinity;
  if (flags & 2) at += 2;
  return at < bytes.length ? at : undefined;
}
