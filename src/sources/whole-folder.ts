import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from '../core/diagnostic.ts';
import type { Source } from '../core/stage.ts';

/**
 * The folder of a source. Fails with `incomplete-source` when `path` does not match all files in it that are read,
 * because a change to the others would go unnoticed.
 */
export function wholeFolder(
  path: string,
  file: Source,
  sources: readonly Source[],
  isRead: (name: string) => boolean,
): string {
  const folder = dirname(file.uri);
  const given = new Set(sources.map(({ uri }) => uri));
  const left = readdirSync(folder)
    .sort()
    .filter((name) => isRead(name) && !given.has(join(folder, name)));
  if (left.length > 0)
    fail('incomplete-source', `${path} does not match ${left.join(', ')}.`, `Point to the folder, ${folder}.`);
  return folder;
}
