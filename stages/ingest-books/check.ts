import type { ConfigProblem } from '../../src/core/stage.ts';
import { checkChecksum } from '../../src/sources/checksum.ts';
import { encodingNamed } from '../../src/text/encoding/encoding-name.ts';

interface Checked {
  readonly checksum: string;
  readonly path: string | readonly string[];
  readonly encoding: string;
}

export function check({ checksum, path, encoding }: Checked): ConfigProblem[] {
  const problems = checkChecksum(checksum, path);
  if (encoding !== '' && encodingNamed(encoding) === undefined)
    problems.push({
      property: 'encoding',
      message:
        `unknown encoding \`${encoding}\`; use a name from the WHATWG Encoding Standard, such as gb18030, ` +
        'big5, shift_jis, windows-1251',
    });
  return problems;
}
