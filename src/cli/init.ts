import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { exitCodes, print, refuse } from './exit.ts';
import { packageRoot } from '../core/package-root.ts';

/** `init [folder]`: a starter pipeline for the user's own text. Never overwrites. */
export function initCommand(folder = '.'): number {
  const file = join(folder, 'pipeline.yaml');
  if (existsSync(file))
    return refuse([
      {
        code: 'exists',
        message: `${file} already exists.`,
        help: 'Name another folder: `run-pipeline init <folder>`.',
      },
    ]);
  mkdirSync(join(folder, 'corpus'), { recursive: true });
  const schema = relative(folder, join(packageRoot, 'schemas/pipeline.merged.schema.json'));
  writeFileSync(file, starter(schema));
  print(`Wrote ${file}. Put text files into ${join(folder, 'corpus')}/, then: npx run-pipeline ${file}`);
  return exitCodes.ok;
}

const starter = (schema: string): string => `# yaml-language-server: $schema=${schema}
name: my-model
seed: 1
vars: { max_length: 128 }
stages:
  books:     { uses: ingest-books, with: { path: corpus/*.txt } }
  cleaned:   { uses: clean, inputs: { documents: books } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: cleaned }, with: { vocab_size: 4096 } }
  tokens:    { uses: tokenize, inputs: { documents: cleaned, tokenizer: tokenizer }, with: { max_length: "\${{ vars.max_length }}", held_out: 0.05 } }
  masked:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: dynamic } }
  pretrain:  { uses: pretrain, inputs: { masked: masked, tokenizer: tokenizer }, with: { size: tiny, max_steps: 500 } }
  exported:  { uses: export, inputs: { model: pretrain } }
`;
