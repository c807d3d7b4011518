import { createReadStream } from 'node:fs';

/** Consecutive whole streams of a bzip2 file, as offsets of their first byte and of the one after their last. */
export interface StreamRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A stream's header and the magic number of its first block: 76 bits that do not occur in compressed data by chance.
 */
const blockMagic = Buffer.from('314159265359', 'hex');
const headerBytes = 4;

/**
 * The streams of a multistream bzip2 file, such as Wikipedia's, each run of at least `minBytes` as one range, found by
 * scanning for their first bytes. A file of one stream is one range, however long.
 */
export async function* bzip2Ranges(path: string, minBytes: number, signal?: AbortSignal): AsyncGenerator<StreamRange> {
  let start = 0;
  let carried: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20, ...(signal ? { signal } : {}) })) {
    const window = Buffer.concat([carried, chunk as Buffer]);
    for (let at = window.indexOf(blockMagic); at >= 0; at = window.indexOf(blockMagic, at + 1)) {
      const header = at - headerBytes;
      if (header < 0 || !/^BZh[1-9]$/.test(window.toString('latin1', header, at))) continue;
      const position = offset + header;
      if (position - start < minBytes) continue;
      yield { start, end: position };
      start = position;
    }
    const keep = Math.min(window.length, headerBytes + blockMagic.length - 1);
    offset += window.length - keep;
    carried = window.subarray(window.length - keep);
  }
  const end = offset + carried.length;
  if (end > start) yield { start, end };
}
