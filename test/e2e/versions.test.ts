import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Project, root, samples, statesOf } from '../rig/project.ts';

const pipeline = `name: p
stages:
  books:     { uses: ingest-books, with: { path: ${samples}/books } }
  crawl:     { uses: ingest-common-crawl, with: { path: ${samples}/crawl/*.gz } }
  cleaned:   { uses: clean, inputs: { documents: books } }
  window:    { uses: refresh, inputs: { documents: [cleaned, crawl] } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: crawl }, with: { vocab_size: 400 } }
`;

describe('in a copy of the project', { timeout: 300_000 }, () => {
  const copy = mkdtempSync(join(tmpdir(), 'copy-'));
  const project = new Project({ 'p.yaml': pipeline });
  const npm = (...args: string[]): void => {
    execFileSync('npm', ['run', '--silent', ...args], { cwd: copy, stdio: 'pipe' });
  };
  const edit = (file: string, from: string | RegExp, to: string): void => {
    const before = readFileSync(join(copy, file), 'utf8');
    const after = before.replace(from, to);
    expect(after, `nothing to replace in ${file}`).not.toBe(before);
    writeFileSync(join(copy, file), after);
  };
  const states = (): Record<string, string> =>
    statesOf({
      stdout: execFileSync(process.execPath, [join(copy, 'bin/run-pipeline.js'), 'p.yaml', '--json'], {
        cwd: project.folder,
        encoding: 'utf8',
      }),
    });
  const ran = (): string[] =>
    Object.entries(states())
      .filter(([, state]) => state === 'ran')
      .map(([stage]) => stage);

  beforeAll(() => {
    for (const path of [
      'bin',
      'src',
      'stages',
      'schemas',
      'scripts',
      'package.json',
      'tsconfig.json',
      'tsconfig.build.json',
    ])
      cpSync(join(root, path), join(copy, path), { recursive: true });
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
    npm('build');
    expect(ran()).toContain('cleaned');
    expect(ran()).toEqual([]);
  });

  it('reworded descriptions and comments re-run nothing', () => {
    edit('schemas/contracts/documents.json', /"description": "/g, '"description": "In other words: ');
    edit('schemas/stages/clean.schema.json', /"description": "/g, '"description": "In other words: ');
    edit('stages/clean/index.ts', /^import/, '// Said in other words.\nimport');
    npm('build');
    expect(ran()).toEqual([]);
  });

  it('a reworded message re-runs nothing once it is decided that results stay the same', () => {
    edit(
      'src/core/diagnostic.ts',
      'super(diagnostic.message, options)',
      'super(`In other words: ${diagnostic.message}`, options)',
    );
    npm('build');
    expect(() => npm('versions', '--', '--check')).toThrow('Command failed');
    npm('versions', '--', 'keep', 'all');
    npm('versions', '--', '--check');
    expect(ran()).toEqual([]);
  });

  it('a changed line of a stage type re-runs it and what is downstream of it, decided on or not', () => {
    const rule = "if (original.trim() === '') return drop('empty');";
    edit(
      'stages/clean/index.ts',
      rule,
      `${rule} // the same bytes, from other code\n  if (original === '') return drop('none');`,
    );
    npm('build');
    expect(ran()).toEqual(['cleaned']);
    npm('versions', '--', 'bump', 'clean');
    expect(ran()).toEqual(['cleaned']);
    edit('stages/clean/index.ts', rule, "if (original.length % 2 === 1) return drop('odd');");
    npm('build');
    expect(ran()).toEqual(['cleaned', 'window']);
  });
});
