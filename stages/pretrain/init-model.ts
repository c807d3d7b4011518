import { fail } from '../../src/core/diagnostic.ts';
import { readModel, type LoadedModel } from '../../src/model/hf.ts';
import { hasTokenizer, loadTokenizer } from '../../src/text/bpe/files.ts';
import type { BpeModel } from '../../src/text/bpe/model.ts';

/** The model to continue from, after checking that it was trained with the ids of the tokenizer. */
export function readInitModel(folder: string, tokenizer: BpeModel): LoadedModel {
  const model = readModel(folder);
  if (model.head.kind !== 'masked-lm')
    fail(
      'unsupported-model',
      'The model to continue from has no masked-LM head.',
      'Connect init to a pretraining stage, or to an import-model stage whose folder is a RobertaForMaskedLM.',
    );
  const help =
    'Use the tokenizer that the model was trained with; an import-model stage provides both: `inputs: { init: ' +
    '<stage>, tokenizer: <stage> }`.';
  if (hasTokenizer(folder) && loadTokenizer(folder).tokens.join('\n') !== tokenizer.tokens.join('\n'))
    fail('vocabulary-mismatch', 'The model to continue from has a different tokenizer than this stage.', help);
  // Its table may have more rows than there are tokens if it was padded to a round number.
  if (tokenizer.tokens.length > model.config.vocab_size)
    fail(
      'vocabulary-mismatch',
      `The model to continue from has ${model.config.vocab_size} vocabulary entries, the tokenizer ` +
        `${tokenizer.tokens.length}.`,
      help,
    );
  return model;
}
