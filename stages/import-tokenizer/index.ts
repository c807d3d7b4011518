import { dirname } from 'node:path';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage } from '../../src/core/stage.ts';
import { bringTokenizer } from '../../src/model/hf.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';

/** Brings a Hugging Face tokenizer into a pipeline. */
export default defineStage<{ readonly path: string }>({
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
    const { model } = new Tokenizer(loadTokenizer(folder));
    bringTokenizer(folder, model, context.folder('tokenizer').path);
    context.metric('vocab_size', model.tokens.length);
  },
});
