import { readdirSync } from 'node:fs';
import { basename, join, relative, sep } from 'node:path';
import type { ArtifactFile } from '../core/artifact.ts';
import { fail } from '../core/diagnostic.ts';
import { digestFile } from '../core/digest.ts';

/**
 * Every file below a folder, sorted by path, fsynced and digested. Fails on a link: its target is not part of the
 * artifact.
 */
export function sealFolder(folder: string, stage: string): ArtifactFile[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => !entry.isDirectory());
  const odd = entries.find((entry) => !entry.isFile());
  if (odd !== undefined) {
    const path = relative(folder, join(odd.parentPath, odd.name));
    fail(
      'contract-broken',
      `Output "${basename(folder)}" of stage "${stage}" holds ${path}, which is ` +
        `${odd.isSymbolicLink() ? 'a link' : 'not a regular file'}.`,
      'Copy its target instead (`cp -rL` follows links): an artifact contains only regular files and folders.',
    );
  }
  return entries
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path: relative(folder, path).split(sep).join('/'), ...digestFile(path, { flush: true }) }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}
