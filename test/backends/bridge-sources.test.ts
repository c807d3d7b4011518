import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { digestOfSources, torchSources } from '../../src/backends/installation.ts';

test('comments in the sources of the bridge are not in its digest, code is', () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'native-')), 'native');
  cpSync(torchSources(), folder, { recursive: true });
  const file = join(folder, 'dropout.cc');
  const text = readFileSync(file, 'utf8');
  const before = digestOfSources(folder);
  writeFileSync(file, `// Said in other words.\n\n${text}\n/* At its end,\n   too. */\n`);
  expect(digestOfSources(folder)).toBe(before);
  writeFileSync(file, `${text}\nint changed = 1;\n`);
  expect(digestOfSources(folder)).not.toBe(before);
});
