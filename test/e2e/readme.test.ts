import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { rowsOf } from '../rig/artifact.ts';
import { Project, root, samples } from '../rig/project.ts';

/** The first code block of a language in the README. */
function example(language: string): string {
  const block = new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\``, 'm').exec(
    readFileSync(join(root, 'README.md'), 'utf8'),
  )?.[1];
  if (block === undefined) throw new Error(`README.md has no example in ${language}`);
  return block;
}

it('the pipeline file of the README runs', async () => {
  const project = new Project({ 'small.yaml': example('yaml').replaceAll('../samples', samples) });
  expect(await project.states('small.yaml')).toEqual({
    wikipedia: 'ran',
    cleaned: 'ran',
    tokenizer: 'ran',
    'tokenizer/words': 'ran',
    'tokenizer/bpe': 'ran',
    tokens: 'ran',
    words: 'ran',
  });
  expect(Number(project.read('outputs/small/words/merges'))).toBeGreaterThan(1000);
});

it('the stage of the README runs', async () => {
  const text = 'The river runs past the old house.';
  const project = new Project({
    'shout.ts': example('ts'),
    'p.yaml': `name: p
stages:
  books: { uses: ingest-books, with: { path: books } }
  shouted: { uses: ./shout.ts, inputs: { documents: books }, with: { min_characters: 20 } }\n`,
    'books/a.txt': text,
    'books/b.txt': 'Too short.',
  });
  const { code, stdout } = await project.run('p.yaml');
  expect(code, stdout).toBe(0);
  expect(stdout).toMatch(/^shouted: ran .*dropped\.short 1/m);
  expect((await rowsOf(project.path('outputs/p/shouted'))).map((row) => row.text)).toEqual([text.toUpperCase()]);
});
