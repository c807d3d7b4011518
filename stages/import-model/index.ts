import { fail, Failure } from '../../src/core/diagnostic.ts';
import { defineStage, type Source, type StageContext } from '../../src/core/stage.ts';
import { specialIds } from '../../src/model/config.ts';
import { checkFinite, isModelFile, readModel, writeModel, type LoadedModel } from '../../src/model/hf.ts';
import { countParameters, parameterSpecs } from '../../src/model/parameters.ts';
import { wholeFolder } from '../../src/sources/whole-folder.ts';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import type { BpeModel } from '../../src/text/bpe/model.ts';
import { readTokenizer } from '../../src/text/bpe/read-folder.ts';
import type { Config } from './config.ts';

/**
 * Imports a Hugging Face folder into a pipeline. `inputs: { init: roberta, tokenizer: roberta }` continues its
 * pretraining.
 */
export default defineStage<Config>({
  description:
    'Check a Hugging Face RoBERTa folder and import its model, and its tokenizer if that is a byte-level BPE.',
  inputs: {},
  outputs: {
    model: {
      contract: 'model',
      description: 'the model in float32, to pretrain further, fine-tune, evaluate or export',
    },
    tokenizer: {
      contract: 'tokenizer',
      description: 'its tokenizer; empty, with the reason in the log, if the folder has none that can be read',
      optional: true,
    },
  },

  async run(context) {
    const folder = modelFolder(context.config.path, context.sources('path'));
    const model = readModel(folder);
    checkFinite(model);
    for (const note of model.notes) context.log(note);

    const tokenizer = tokenizerOf(folder, context);
    const { path: tokenizerFolder } = context.outputFolder('tokenizer');
    if (tokenizer !== undefined) {
      checkVocabulary(tokenizer, model, folder);
      writeTokenizer(tokenizerFolder, tokenizer);
    }
    writeModel(context.outputFolder('model').path, model, tokenizer === undefined ? folder : tokenizerFolder);

    const parameters = countParameters(parameterSpecs(model.config, model.head));
    context.log(
      `${{ 'masked-lm': 'masked language model', classification: 'classifier', encoder: 'encoder without a head' }[model.head.kind]} ` +
        `of ${parameters.toLocaleString('en')} parameters: ${model.config.num_hidden_layers} layers of ` +
        `${model.config.hidden_size}`,
    );
    context.metric('parameters', parameters);
  },
});

/** The folder itself. */
function modelFolder(path: string, sources: readonly Source[]): string {
  const file = sources.find(({ name }) => name === 'config.json');
  if (file === undefined)
    fail(
      'damaged-model',
      `${path} is not a folder with a config.json.`,
      'Point to a Hugging Face model folder; `hf download FacebookAI/roberta-base --local-dir roberta-base` ' +
        'downloads one.',
    );
  return wholeFolder(path, file, sources, isModelFile);
}

/** The tokenizer, or undefined after logging why it cannot be used. */
function tokenizerOf(folder: string, context: StageContext<unknown>): BpeModel | undefined {
  try {
    const { model, notes } = readTokenizer(folder);
    for (const note of notes) context.log(note);
    return model;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    context.log(`the model is imported without a tokenizer: ${error.diagnostic.message}`);
    return undefined;
  }
}

function checkVocabulary(tokenizer: BpeModel, { config }: LoadedModel, folder: string): void {
  const help = 'Copy the tokenizer that the model was trained with into the folder.';
  if (tokenizer.tokens.length > config.vocab_size)
    fail(
      'vocabulary-mismatch',
      `The tokenizer of ${folder} has ${tokenizer.tokens.length} entries, but its model has only ${config.vocab_size}.`,
      help,
    );
  if (tokenizer.special.pad !== specialIds.pad)
    fail(
      'vocabulary-mismatch',
      `<pad> is ${tokenizer.special.pad} in the tokenizer of ${folder}, but ${specialIds.pad} in its model.`,
      help,
    );
}
