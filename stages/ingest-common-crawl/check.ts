import type { ConfigProblem } from '../../src/core/stage.ts';
import { checkChecksum } from '../../src/sources/checksum.ts';

export function check({
  checksum,
  path,
}: {
  readonly checksum: string;
  readonly path: string | readonly string[];
}): ConfigProblem[] {
  return checkChecksum(checksum, path);
}
