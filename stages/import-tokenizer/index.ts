import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage } from '../../src/core/stage.ts';
import { isTokenizerFile, writeTokenizer } from '../../src/text/bpe/files.ts';
import { readTokenizer } from '../../src/text/bpe/read-folder.ts';
import type { Config } from './config.ts';

/** Brings a Hugging Face tokenizer into a pipeline. */
export default defineStage<Config>({
  description: 'Check a Hugging Face tokenizer, a byte-level BPE, and bring it in.',
  inputs: {},
  outputs: { tokenizer: { contract: 'tokenizer', description: 'the tokenizer' } },

  run: async (context) => {
    const file = context.sources('path').find(({ name }) => name === 'tokenizer.json' || name === 'vocab.json');
    if (file === undefined)
      fail(
        'unsupported-tokenizer',
        `${context.config.path} has neither tokenizer.json nor vocab.json and merges.txt.`,
        'Point to a Hugging Face folder with a byte-level BPE tokenizer.',
      );
    const folder = dirname(file.uri);
    // A change to a file that is read but is not a source would go unnoticed.
    const given = new Set(context.sources('path').map(({ uri }) => uri));
    const left = readdirSync(folder)
      .sort()
      .filter((name) => (isTokenizerFile(name) || name === 'config.json') && !given.has(join(folder, name)));
    if (left.length > 0)
      fail(
        'incomplete-source',
        `${context.config.path} does not match ${left.join(', ')}.`,
        `Point to the folder, ${folder}.`,
      );
    const { model, notes } = readTokenizer(folder);
    for (const note of notes) context.log(note);
    writeTokenizer(context.outputFolder('tokenizer').path, model);
    context.metric('vocab_size', model.tokens.length);
  },
});
