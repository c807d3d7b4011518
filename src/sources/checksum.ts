import type { ConfigProblem } from '../core/stage.ts';

/**
 * What is wrong with a stage's `checksum`: it is of one file. Apart from the readers, so that planning loads nothing
 * else.
 */
export function checkChecksum(checksum: string, sources: string | readonly string[]): ConfigProblem[] {
  if (checksum === '' || typeof sources === 'string' || sources.length === 1) return [];
  return [
    { property: 'checksum', message: 'one checksum cannot hold for several files; give each a stage of its own' },
  ];
}
