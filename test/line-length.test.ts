import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parsers } from 'prettier/plugins/typescript';
import { globSync } from 'tinyglobby';
import { describe, expect, it } from 'vitest';
import { root } from './rig/project.ts';

const limit = 120;

/** Files with lines that are still to be broken, and how many there may be. */
const known: Readonly<Record<string, number>> = JSON.parse(
  readFileSync(join(root, 'test/long-lines.json'), 'utf8'),
) as Record<string, number>;

const files = globSync(
  [
    '{src,stages,test,scripts,bench,schemas,pipelines}/**/*.{ts,mjs,js,py,cc,cu,h,json,yaml,md,txt}',
    '*.{ts,json,md}',
    '.ci/*',
  ],
  {
    cwd: root,
    // Written by programs; and test data.
    ignore: ['package-lock.json', 'schemas/pipeline.merged.schema.json', 'stages/README.md', 'test/fixtures/**'],
  },
).sort();

describe(`no line is longer than ${limit} characters, save those that cannot be broken`, () => {
  it('no new ones', () => {
    expect(files.length).toBeGreaterThan(400);
    const long = new Map(files.map((file) => [file, longLines(file, readFileSync(join(root, file), 'utf8'))]));
    const more = [...long].filter(([file, lines]) => lines.length > (known[file] ?? 0));
    expect(more.flatMap(([file, lines]) => lines.map((line) => `${file}:${line}`))).toEqual([]);
    expect(
      Object.keys(known).filter((file) => (long.get(file) ?? []).length === 0),
      'files that need not be in test/long-lines.json any more',
    ).toEqual([]);
  });

  const words = 'word '.repeat(30);
  it.each([
    ['code', 'src/a.ts', `const a = '${words}';`, 1],
    ['120 characters of two bytes and more', 'src/a.ts', `// ${'字'.repeat(58)}${'é'.repeat(59)}`, 0],
    ['a multi-line template in a test', 'test/a.test.ts', `const a = \`\n${words}\n\${b}\n${words}\`;`, 0],
    ['a template on one line in a test', 'test/a.test.ts', `const a = \`${words}\`;`, 1],
    ['a multi-line template of the sources', 'src/a.ts', `const a = \`\n${words}\`;`, 1],
    ['a regular expression', 'src/a.ts', `const a = /${words}/u;`, 0],
    ['a comment behind a regular expression', 'src/a.ts', `const a = /${words}/u; // ${words}`, 1],
    ['a link', 'a.md', `See [this](${'x'.repeat(120)}).`, 0],
    ['a table', 'a.md', `| ${words} |`, 0],
    ['prose', 'a.md', words, 1],
    ['an address', 'pipelines/a.yaml', `- https://${'x'.repeat(120)}`, 0],
    ['a description', 'schemas/a.json', `{ "description": "${words}" }`, 0],
    ['another property', 'schemas/a.json', `{ "pattern": "${words}" }`, 1],
  ])('%s', (_, file, text, count) => expect(longLines(file, text)).toHaveLength(count));
});

/** The lines of a file that are too long, with their numbers. */
function longLines(file: string, text: string): string[] {
  const lines = text.split('\n');
  const long = [...lines.entries()].filter(([, line]) => [...line].length > limit);
  if (long.length === 0) return [];
  const isExcused = excuse(file, text);
  return long.filter(([at, line]) => !isExcused(line, at)).map(([at, line]) => `${at + 1} ${line}`);
}

function excuse(file: string, text: string): (line: string, at: number) => boolean {
  if (file.startsWith('schemas/')) return (line) => line.includes('"description": "');
  if (/\.(?:md|yaml)$/.test(file)) return isTableOrLink;
  if (!/\.(?:ts|mjs)$/.test(file)) return () => false;
  const { templates, expressions } = unbreakable(text);
  const isData = /^(?:test|bench|scripts\/samples)\//.test(file);
  return (line, at) => (isData && templates.has(at)) || [...line].length - (expressions.get(at) ?? 0) <= limit;
}

/** A row of a table, or a line that is short without the addresses in it. */
function isTableOrLink(line: string): boolean {
  return line.startsWith('|') || [...line.replace(/\]\([^)]*\)|https?:\S+/g, '')].length <= limit;
}

interface Node {
  readonly type?: string;
  readonly regex?: object;
  readonly range?: readonly [number, number];
  readonly loc?: { readonly start: { readonly line: number }; readonly end: { readonly line: number } };
}

/**
 * Of a program: the lines, counted from 0, of template literals that take several, which in tests are data; and by line
 * how many characters are of a regular expression.
 */
function unbreakable(text: string): { templates: Set<number>; expressions: Map<number, number> } {
  const templates = new Set<number>();
  const expressions = new Map<number, number>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    const { type, regex, range, loc } = value as Node;
    if (loc !== undefined && type === 'TemplateLiteral' && loc.end.line > loc.start.line)
      for (let line = loc.start.line; line <= loc.end.line; line++) templates.add(line - 1);
    if (loc !== undefined && range !== undefined && regex !== undefined) {
      const at = loc.start.line - 1;
      expressions.set(at, (expressions.get(at) ?? 0) + [...text.slice(...range)].length);
    }
    for (const [key, each] of Object.entries(value)) if (key !== 'loc' && key !== 'range') visit(each);
  };
  visit(parsers.typescript.parse(text, {} as never));
  return { templates, expressions };
}
