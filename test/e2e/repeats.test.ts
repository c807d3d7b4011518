import { expect, it } from 'vitest';
import { manifestOf, rowsOf } from '../rig/artifact.ts';
import { eventsOf, Project, samples } from '../rig/project.ts';

it(
  'shards that refresh repeats for a weight are kept by deduplicate, and masked otherwise each time by static ' +
    'masking',
  async () => {
    const project = new Project({
      'p.yaml': `name: p
stages:
  books:     { uses: ingest-books, with: { path: ${samples}/books } }
  window:    { uses: refresh, inputs: { documents: books }, with: { weights: { books: 2 } } }
  documents: { uses: deduplicate, inputs: { documents: window } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: books }, with: { vocab_size: 400 } }
  tokens:    { uses: tokenize, inputs: { documents: documents, tokenizer: tokenizer }, with: { max_length: 32, held_out: 0 } }
  masked:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: static, copies: 1 } }
`,
    });
    const result = await project.run('p.yaml', '--json');
    expect(result.code, result.stdout + result.stderr).toBe(0);
    const documents = manifestOf(project.path('outputs/p/documents')).files;
    expect(new Set(documents.map(({ digest }) => digest)).size).toBe(documents.length / 2);

    const copies = manifestOf(project.path('outputs/p/masked')).files.filter(({ rows }) => rows !== undefined);
    expect(copies).toHaveLength(documents.length);
    expect(new Set(copies.map(({ digest }) => digest)).size).toBe(copies.length);
    expect(
      eventsOf(result).filter((event) => event.type === 'action-start' && event.stage === 'masked/copies'),
    ).toHaveLength(copies.length);
    const sequences = (await rowsOf(project.path('outputs/p/tokens.sequences'))).length;
    expect(await rowsOf(project.path('outputs/p/masked'))).toHaveLength(sequences);
  },
);
