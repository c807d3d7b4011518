import type { ConfigProblem } from '../core/stage.ts';

/**
 * Problems with a stage's `checksum`, which applies to one file. Separate from the readers, so that planning loads
 * nothing else.
 */
export function checkChecksum(checksum: string, sources: string | readonly string[]): ConfigProblem[] {
  if (checksum === '' || typeof sources === 'string' || sources.length === 1) return [];
  return [{ property: 'checksum', message: 'one checksum cannot apply to several files; use one stage per file' }];
}
