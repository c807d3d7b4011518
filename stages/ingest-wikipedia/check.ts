import type { ConfigProblem } from '../../src/core/stage.ts';

export function check({ dump, checksum }: { readonly dump: string | readonly string[]; readonly checksum: string }): ConfigProblem[] {
  if (checksum === '' || typeof dump === 'string' || dump.length < 2) return [];
  return [{ property: 'checksum', message: 'one checksum cannot hold for several dumps; give each dump a stage of its own' }];
}
