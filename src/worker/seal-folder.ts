import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readdirSync, readSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import type { ArtifactFile, Digest } from '../core/artifact.ts';
import { fail } from '../core/diagnostic.ts';

/**
 * Every file below a folder, sorted by path, fsynced and digested. Fails on a link: what it leads to is not the
 * artifact's.
 */
export function sealFolder(folder: string, stage: string): ArtifactFile[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const odd = entries.find((entry) => !entry.isFile());
  if (odd !== undefined) {
    const path = relative(folder, join(odd.parentPath, odd.name));
    fail(
      'contract-broken',
      `Output "${basename(folder)}" of stage "${stage}" holds ${path}, which is ` +
        `${odd.isSymbolicLink() ? 'a link' : 'no plain file'}.`,
      'Copy what it stands for (`cp -rL` follows links): an artifact holds plain files and folders only.',
    );
  }
  return entries
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
