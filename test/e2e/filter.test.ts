import { describe, expect, it } from 'vitest';
import { manifestOf, rowsOf } from '../rig/artifact.ts';
import { metricsTable } from '../rig/metrics.ts';
import { eventsOf, metricsOf, Project } from '../rig/project.ts';

/** The example of the README: a filter of one's own in ten paragraphs. */
const shout = `import { defineFilter } from 'run-pipeline';

export default defineFilter<{ min_characters: number }>({
  description: 'Upper-case documents and drop short ones.',
  config: { type: 'object', additionalProperties: false, properties: { min_characters: { type: 'integer', default: 100 } } },
  judge(document, { min_characters }) {
    if (document.text.length < min_characters) return 'short';
    return { ...document, text: document.text.toUpperCase() };
  },
});
`;
const pipeline = `name: p
stages:
  books: { uses: ingest-books, with: { path: books/*.txt, snapshot: 2026-11-01 } }
  shouted: { uses: ./shout.ts, inputs: { documents: books }, with: { min_characters: 20 } }
`;
const long = 'The river runs past the old house.';
const books = { 'books/a.txt': long, 'books/b.txt': 'Too short.', 'books/c.txt': `${long} Still.` };

describe("a filter of one's own", () => {
  it('of ten paragraphs has counts, metrics, shards and a cache', async () => {
    const project = new Project({ 'shout.ts': shout, 'p.yaml': pipeline, ...books });
    const { code, stdout } = await project.run('p.yaml');
    expect(code, stdout).toBe(0);
    expect(stdout).toMatch(/^shouted: ran .*documents\.in 3, documents\.out 2, dropped\.short 1/m);
    const folder = project.path('outputs/p/shouted');
    expect((await rowsOf(folder)).map((row) => row.text)).toEqual([long, `${long} Still.`].map((s) => s.toUpperCase()));
    expect(manifestOf(folder).files.map(({ meta }) => meta)).toEqual(
      Array.from({ length: 2 }, () => ({ source: 'books', snapshot: '2026-11-01', documents: 1 })),
    );
    const table = await metricsTable(`${folder}.metrics`);
    expect(table).toMatchObject({ documents: { in: 3, out: 2 }, dropped: { short: 1 }, length: { 32: 2 } });

    expect(await project.states('p.yaml')).toEqual({ books: 'cached', shouted: 'cached' });
    project.write('books/d.txt', `${long} Again.`);
    const changed = await project.run('p.yaml', '--json');
    expect(eventsOf(changed).find(({ type, stage }) => type === 'stage-start' && stage === 'shouted')).toMatchObject({
      actions: 4,
      cached: 3,
    });
    project.write('shout.ts', shout.replace('toUpperCase', 'toLowerCase'));
    expect(await project.states('p.yaml')).toEqual({ books: 'cached', shouted: 'ran' });
  });

  it('checks its config and fills in defaults', async () => {
    const project = new Project({ 'shout.ts': shout, 'p.yaml': pipeline, ...books });
    project.write('p.yaml', pipeline.replace('min_characters', 'min_character'));
    const wrong = await project.run('p.yaml');
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('min_characters') as string]);
    project.write('p.yaml', pipeline.replace(', with: { min_characters: 20 }', ''));
    const { code, stdout } = await project.run('p.yaml', '--json');
    expect([code, failure(stdout)]).toEqual([
      1,
      {
        code: 'contract-broken',
        message: expect.stringMatching(
          /output "documents" is empty.*It counted: dropped\.short 3, documents/,
        ) as string,
      },
    ]);
  });

  it('in JavaScript may set up, split, write rejects and be followed by other stages', async () => {
    const project = new Project({
      'paragraphs.js': `import { readFileSync } from 'node:fs';
import { fail, defineFilter } from 'run-pipeline';
import { words } from './words.js';
export default defineFilter({
  description: 'A document per paragraph, without forbidden words.',
  rejects: 'keep_rejects',
  config: {
    type: 'object',
    properties: { keep_rejects: { type: 'boolean', default: true }, forbidden: { type: 'string', 'x-source': true } },
  },
  setUp(context) {
    const [file] = context.sources('forbidden');
    if (file === undefined) fail('no-words', 'No file of words was given.', 'Set \`forbidden\`.');
    return new Set(words(readFileSync(file.uri, 'utf8')));
  },
  async judge(document, config, { tools, count }) {
    if (words(document.text).some((word) => tools.has(word))) return 'forbidden';
    count('words', 'all', words(document.text).length);
    return document.text.split('\\n\\n').map((text, at) => ({ ...document, id: document.id + '/' + at, text }));
  },
});
`,
      'words.js': 'export const words = (text) => text.toLowerCase().match(/[a-z]+/g) ?? [];\n',
      'forbidden.txt': 'short\n',
      'p.yaml': `name: p
stages:
  books: { uses: ingest-books, with: { path: books/*.txt } }
  paragraphs: { uses: ./paragraphs.js, inputs: { documents: books }, with: { forbidden: forbidden.txt } }
  unique: { uses: deduplicate, inputs: { documents: paragraphs } }
  more: { uses: ./paragraphs.js, inputs: { documents: unique }, with: { forbidden: forbidden.txt, keep_rejects: false } }
`,
      ...books,
      'books/c.txt': `${long}\n\nStill.\n\nStill.`,
    });
    const result = await project.run('p.yaml', '--json');
    expect(result.code, result.stdout).toBe(0);
    const metrics = metricsOf(result);
    expect(metrics['paragraphs']).toEqual({
      'documents.in': 3,
      'documents.out': 4,
      'dropped.forbidden': 1,
      'split.documents': 2,
      'words.all': 16,
    });
    expect((await rowsOf(project.path('outputs/p/paragraphs.rejects'))).map(({ id, reason }) => [id, reason])).toEqual([
      ['books:b', 'forbidden'],
    ]);
    expect((await rowsOf(project.path('outputs/p/unique'))).map(({ text }) => text)).toEqual([long, 'Still.']);
    expect(await rowsOf(project.path('outputs/p/more.rejects'))).toEqual([]);

    project.write('p.yaml', project.read('p.yaml').replace(', with: { forbidden: forbidden.txt }', ''));
    const { code, stdout } = await project.run('p.yaml', '--json');
    expect([code, failure(stdout)]).toEqual([1, { code: 'no-words', message: 'No file of words was given.' }]);
  });

  it('that forgets to return says so, with the document', async () => {
    const project = new Project({
      'shout.ts': shout.replace('return { ...document', 'void { ...document'),
      'p.yaml': pipeline,
      ...books,
    });
    const { code, stdout } = await project.run('p.yaml', '--json');
    expect([code, failure(stdout)]).toEqual([
      1,
      {
        code: 'stage-crashed',
        message: expect.stringMatching(/judge\(\) returned undefined for document "books:[ac]"/) as string,
      },
    ]);
  });
});

it("a stage of one's own says what it dropped where nothing is left", async () => {
  const project = new Project({
    'none.js': `import { defineStage } from 'run-pipeline';
export default defineStage({
  description: 'Drop everything.',
  inputs: { documents: { contract: 'documents', description: 'what to drop' } },
  outputs: { documents: { contract: 'documents', description: 'nothing' } },
  async run(context) {
    context.count('looked.at', 1000);
    for await (const row of context.dataset('documents').rows()) context.drop(row.text.length < 20 ? 'short' : 'long');
  },
});
`,
    'p.yaml': pipeline.replace('./shout.ts', './none.js').replace(', with: { min_characters: 20 }', ''),
    ...books,
  });
  const { code, stdout } = await project.run('p.yaml', '--json');
  expect(code).toBe(1);
  expect(failure(stdout).message).toMatch(/It counted: dropped\.long 2, dropped\.short 1, looked\.at 1,000$/);
});

function failure(stdout: string): { code: string; message: string } {
  const { diagnostic } = eventsOf({ stdout }).find(({ type, state }) => type === 'stage-end' && state === 'failed')!;
  return { code: diagnostic!.code, message: diagnostic!.message };
}
