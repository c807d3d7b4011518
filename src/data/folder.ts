import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import type { ArtifactFile, Digest } from '../core/artifact.ts';

/** Every plain file below a folder, sorted by path, fsynced and digested. Links are not followed. */
export function sealFolder(folder: string): ArtifactFile[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(folder, path).split(sep).join('/'), ...sealFile(path) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** SHA-256 and size of a file's content, after an fsync. */
export function sealFile(path: string): { digest: Digest; bytes: number } {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
    const hash = createHash('sha256');
    const chunk = Buffer.allocUnsafe(1 << 20);
    let bytes = 0;
    for (let read; (read = readSync(fd, chunk)) > 0; bytes += read) hash.update(chunk.subarray(0, read));
    return { digest: hash.digest('hex') as Digest, bytes };
  } finally {
    closeSync(fd);
  }
}
