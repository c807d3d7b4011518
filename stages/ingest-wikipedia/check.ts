import type { ConfigProblem } from '../../src/core/stage.ts';
import { checkChecksum } from '../../src/sources/checksum.ts';

export function check({
  checksum,
  dump,
}: {
  readonly checksum: string;
  readonly dump: string | readonly string[];
}): ConfigProblem[] {
  return checkChecksum(checksum, dump);
}
