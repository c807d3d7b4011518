import { fail } from '../../src/core/diagnostic.ts';
import { defineStage } from '../../src/core/stage.ts';
import { wholeFolder } from '../../src/sources/whole-folder.ts';
import { isTokenizerFile, writeTokenizer } from '../../src/text/bpe/files.ts';
import { readTokenizer } from '../../src/text/bpe/read-folder.ts';
import type { Config } from './config.ts';

/** Brings a Hugging Face tokenizer into a pipeline. */
export default defineStage<Config>({
  description: 'Check a Hugging Face tokenizer (byte-level BPE) and import it.',
  inputs: {},
  outputs: { tokenizer: { contract: 'tokenizer', description: 'the tokenizer' } },

  run: async (context) => {
    const sources = context.sources('path');
    const file = sources.find(({ name }) => name === 'tokenizer.json' || name === 'vocab.json');
    if (file === undefined)
      fail(
        'unsupported-tokenizer',
        `${context.config.path} has neither tokenizer.json nor vocab.json and merges.txt.`,
        'Point to a Hugging Face folder with a byte-level BPE tokenizer.',
      );
    const isRead = (name: string): boolean => isTokenizerFile(name) || name === 'config.json';
    const folder = wholeFolder(context.config.path, file, sources, isRead);
    const { model, notes } = readTokenizer(folder);
    for (const note of notes) context.log(note);
    writeTokenizer(context.outputFolder('tokenizer').path, model);
    context.metric('vocab_size', model.tokens.length);
  },
});
