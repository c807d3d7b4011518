import { readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, it } from 'vitest';
import { globSync as glob } from 'tinyglobby';

const root = join(import.meta.dirname, '..');

/** What each folder may import besides itself; nothing else. */
const allowed: Record<string, readonly string[]> = {
  'src/core': [],
  'src/arrow': ['src/core'],
  'src/formats': ['src/core', 'src/text'],
  'src/sources': ['src/core', 'src/formats'],
  'src/threads': ['src/core'],
  'src/text': ['src/core'],
  'src/corpus': ['src/core', 'src/arrow', 'src/text'],
  'src/masking': ['src/core', 'src/arrow', 'src/text'],
  'src/ops': ['src/core'],
  'src/model': ['src/core', 'src/ops', 'src/text'],
  'src/training': ['src/core', 'src/arrow', 'src/text', 'src/masking', 'src/threads', 'src/ops', 'src/model'],
  'src/backends': ['src/core', 'src/ops'],
  'src/pipeline': ['src/core'],
  'src/plan': ['src/core', 'src/pipeline'],
  'src/store': ['src/core', 'src/plan'],
  'src/catalogue': ['src/core', 'src/store'],
  'src/worker': ['src/core', 'src/arrow'],
  'src/executors': ['src/core', 'src/worker'],
  'src/runner': ['src/core', 'src/pipeline', 'src/plan', 'src/store', 'src/executors'],
  'src/reporting': ['src/core'],
  'src/cli': [
    'src/core',
    'src/pipeline',
    'src/plan',
    'src/store',
    'src/catalogue',
    'src/executors',
    'src/runner',
    'src/reporting',
    'src/backends',
    'src/setup',
  ],
  'src/setup': ['src/core', 'src/ops', 'src/model', 'src/training', 'src/backends', 'src/store'],
  'src/index.ts': ['src/core', 'src/corpus'],
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
          ? !other.startsWith('stages/') &&
            /^src\/(core|arrow|formats|sources|corpus|masking|threads|text|model|training|ops|backends)$/.test(other)
          : (allowed[home] ?? []).includes(other));
      if (!legal) broken.push(`${file} imports ${target}`);
    }
  }
  expect(broken).toEqual([]);
});

it('no file imports itself by way of others, types included', () => {
  expect(circles().map((circle) => wayRound(circle).join('\n  imports '))).toEqual([]);
});

it('only the command line and the worker entry touch the console, the environment and exit', () => {
  const broken = files.filter(
    (file) =>
      !/^src\/cli\/|^src\/worker\/worker-main\.ts$/.test(file) && /\bconsole\.|process\.(exit|env)\b/.test(code(file)),
  );
  expect(broken).toEqual([]);
});

/**
 * The files that import one another, all of a circle's together: the strongly connected components of more than one
 * file (Tarjan, "Depth-first search and linear graph algorithms", 1972).
 */
function circles(): string[][] {
  const found: string[][] = [];
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const visit = (file: string): void => {
    order.set(file, order.size);
    lowest.set(file, order.get(file)!);
    stack.push(file);
    for (const target of importsOf(file)) {
      if (!order.has(target)) visit(target);
      if (stack.includes(target)) lowest.set(file, Math.min(lowest.get(file)!, lowest.get(target)!));
    }
    if (lowest.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file)).sort();
    if (circle.length > 1) found.push(circle);
  };
  for (const file of files) if (!order.has(file)) visit(file);
  return found;
}

/** The shortest way from a circle's first file back to it, each importing the next. */
function wayRound(circle: readonly string[]): string[] {
  const first = circle[0]!;
  const ways: string[][] = [[first]];
  const seen = new Set<string>();
  for (const way of ways)
    for (const target of importsOf(way.at(-1)!)) {
      if (target === first) return [...way, first];
      if (!circle.includes(target) || seen.has(target)) continue;
      seen.add(target);
      ways.push([...way, target]);
    }
  throw new Error(`${first} is in no circle`);
}

function homeOf(file: string): string {
  return file.split('/').slice(0, 2).join('/');
}

const imports = new Map<string, readonly string[]>();

function importsOf(file: string): readonly string[] {
  const known = imports.get(file);
  if (known !== undefined) return known;
  const found = [...code(file).matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)].map((match) =>
    relative(root, join(root, dirname(file), match[1]!)),
  );
  imports.set(file, found);
  return found;
}

/** A file's text without its comments. */
function code(file: string): string {
  return readFileSync(join(root, file), 'utf8')
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/^\s*\/\/.*$/gm, '');
}
