import { createHash, hash } from 'node:crypto';
import { closeSync, createReadStream, fsyncSync, openSync, readSync } from 'node:fs';
import type { Digest } from './artifact.ts';

/** The SHA-256 of a text's UTF-8, or of bytes. */
export function sha256(data: string | Uint8Array): Digest {
  return hash('sha256', data) as Digest;
}

/**
 * The SHA-256 and size of a file's content, read one mebibyte at a time.
 * @param flush whether to fsync the file first, so that the digested content survives a power cut
 */
export function digestFile(path: string, { flush = false } = {}): { readonly digest: Digest; readonly bytes: number } {
  const file = openSync(path, 'r');
  try {
    if (flush) fsyncSync(file);
    const hasher = createHash('sha256');
    const chunk = Buffer.allocUnsafe(1 << 20);
    let bytes = 0;
    for (let read; (read = readSync(file, chunk)) > 0; bytes += read) hasher.update(chunk.subarray(0, read));
    return { digest: hasher.digest('hex') as Digest, bytes };
  } finally {
    closeSync(file);
  }
}

/** The SHA-256 of a file's content, without blocking the thread. */
export async function digestStream(path: string): Promise<Digest> {
  const hasher = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hasher.update(chunk as Buffer);
  return hasher.digest('hex') as Digest;
}
