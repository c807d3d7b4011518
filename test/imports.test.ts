import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { globSync as glob } from 'tinyglobby';

const root = join(import.meta.dirname, '..');

/** What each folder may import besides itself; nothing else. */
const allowed: Record<string, readonly string[]> = {
  'src/core': [],
  'src/data': ['src/core'],
  'src/text': ['src/core'],
  'src/ops': ['src/core'],
  'src/model': ['src/core', 'src/ops', 'src/data', 'src/text'],
  'src/backends': ['src/core', 'src/ops'],
  'src/pipeline': ['src/core'],
  'src/plan': ['src/core', 'src/pipeline'],
  'src/store': ['src/core', 'src/data', 'src/plan'],
  'src/executors': ['src/core', 'src/data', 'src/store', 'src/plan', 'src/pipeline'],
  'src/runner': ['src/core', 'src/pipeline', 'src/plan', 'src/store', 'src/executors'],
  'src/reporting': ['src/core'],
  'src/cli': [
    'src/core',
    'src/pipeline',
    'src/plan',
    'src/store',
    'src/executors',
    'src/runner',
    'src/reporting',
    'src/backends',
    'src/setup',
  ],
  'src/setup': ['src/core', 'src/ops', 'src/model', 'src/backends', 'src/store'],
  'src/index.ts': ['src/core'],
};

const files = glob(['src/**/*.ts', 'stages/**/*.ts'], { cwd: root });

it('imports go one way', () => {
  const broken: string[] = [];
  for (const file of files) {
    const home = homeOf(file);
    for (const target of importsOf(file)) {
      const other = homeOf(target);
      const legal =
        other === home ||
        (home.startsWith('stages/')
          ? !other.startsWith('stages/') && /^src\/(core|data|text|model|ops|backends)$/.test(other)
          : (allowed[home] ?? []).includes(other));
      if (!legal) broken.push(`${file} imports ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

it('only the command line and the worker entry touch the console, the environment and exit', () => {
  const broken = files.filter(
    (file) =>
      !/^src\/cli\/|^src\/executors\/worker-main\.ts$/.test(file) &&
      /\bconsole\.|process\.(exit|env)\b/.test(code(file)),
  );
  expect(broken).toEqual([]);
});

function homeOf(file: string): string {
  return file.split('/').slice(0, 2).join('/');
}

function importsOf(file: string): string[] {
  return [...code(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(root, join(root, dirname(file), match[1]!)),
  );
}

/** A file's text without its comments. */
function code(file: string): string {
  return readFileSync(join(root, file), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');
}
