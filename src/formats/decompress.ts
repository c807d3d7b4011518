import { createGunzip } from 'node:zlib';
import { Readable } from 'node:stream';
import { fail } from '../core/diagnostic.ts';
import { bunzip2 } from './bzip2.ts';
import { peekBytes } from './peek.ts';

export type Compression = 'gzip' | 'bzip2' | 'none';

/** Bounds against decompression bombs, checked while decompressing. */
export interface DecompressLimits {
  /** Maximum decompressed bytes; default: no limit. */
  readonly maxBytes?: number;
  /**
   * Decompressed / compressed, checked after the first 64 MiB of output. Text reaches 10 to 20, highly regular dumps
   * 100.
   */
  readonly maxRatio?: number;
}

const DEFAULT_MAX_RATIO = 1000;
const RATIO_FROM_BYTES = 64 << 20;

/** Detect the compression of a file from its first bytes. */
export function compressionOf(head: Uint8Array): Compression {
  if (head[0] === 0x1f && head[1] === 0x8b) return 'gzip';
  if (head[0] === 0x42 && head[1] === 0x5a && head[2] === 0x68) return 'bzip2';
  return 'none';
}

/**
 * Decompress by magic bytes: gzip with many members, bzip2 with many streams, or neither; bounded memory.
 * Throws a Failure when data is truncated or damaged, when something else follows the last member, or over a limit.
 */
export async function* decompress(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  limits: DecompressLimits = {},
): AsyncGenerator<Uint8Array> {
  const { maxBytes = Infinity, maxRatio = DEFAULT_MAX_RATIO } = limits;
  let bytesIn = 0;
  let bytesOut = 0;
  const { head, all, close } = await peekBytes(chunks, 4);
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of all) {
      bytesIn += chunk.length;
      yield chunk;
    }
  }
  const compression = compressionOf(head);
  const out =
    compression === 'gzip' ? gunzip(counted(), name) : compression === 'bzip2' ? bunzip2(counted(), name) : counted();
  try {
    for await (const chunk of out) {
      bytesOut += chunk.length;
      if (bytesOut > maxBytes)
        fail(
          'too-large',
          `${name}: decompresses to more than ${maxBytes} bytes`,
          'Increase the limit if the file is meant to be that large.',
        );
      if (compression !== 'none' && bytesOut > RATIO_FROM_BYTES && bytesOut > bytesIn * maxRatio)
        fail(
          'decompression-bomb',
          `${name}: ${bytesIn} compressed bytes gave ${bytesOut}, more than ${maxRatio} times as many`,
          'This is not an ordinary corpus file; check where it came from.',
        );
      yield chunk;
    }
  } finally {
    await close();
  }
}

async function* gunzip(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let bytesIn = 0;
  /** Input after which only zeros came: padding is allowed after the last member, anything else is not. */
  let lastNonZero = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of chunks) {
      let end = chunk.length;
      while (end > 0 && chunk[end - 1] === 0) end--;
      if (end > 0) lastNonZero = bytesIn + end;
      bytesIn += chunk.length;
      yield chunk;
    }
  }
  const input = Readable.from(counted(), { objectMode: false });
  const gunzipped = createGunzip({ chunkSize: 1 << 18 });
  input.on('error', (error) => gunzipped.destroy(error));
  input.pipe(gunzipped);
  try {
    for await (const chunk of gunzipped) yield chunk as Uint8Array;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'Z_BUF_ERROR')
      fail(
        'truncated-gzip',
        `${name}: the gzip data ends before its end mark`,
        'Download the file again, or check it with `gzip -t`.',
        error,
      );
    if (code.startsWith('Z_'))
      fail(
        'corrupt-gzip',
        `${name}: damaged gzip data near byte ${gunzipped.bytesWritten} (${(error as Error).message})`,
        'Download the file again, or check it with `gzip -t`.',
        error,
      );
    throw error;
  } finally {
    input.destroy();
    gunzipped.destroy();
  }
  if (gunzipped.bytesWritten < lastNonZero)
    fail(
      'corrupt-gzip',
      `${name}: ${bytesIn - gunzipped.bytesWritten} bytes that are not gzip follow byte ${gunzipped.bytesWritten}`,
      'Download the file again, or check it with `gzip -t`.',
    );
}
