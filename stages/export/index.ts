import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage } from '../../src/core/stage.ts';
import { checkFinite, readModel, writeModel, type LoadedModel } from '../../src/model/hf.ts';
import { countParameters, parameterSpecs } from '../../src/model/parameters.ts';
import { loadModelTokenizer } from '../../src/text/bpe/files.ts';
import type { Config } from './config.ts';

export default defineStage<Config>({
  description: 'Check a model and export it as a complete Hugging Face folder.',
  inputs: { model: { contract: 'model', description: 'model to export' } },
  outputs: { model: { contract: 'model', description: 'folder that `from_pretrained` loads' } },

  run: async (context) => {
    const source = context.folder('model')?.path ?? '';
    const model = readModel(source);
    checkFinite(model);
    const vocabulary = loadModelTokenizer(source).tokens.length;
    // The vocabulary of an imported model may have been padded to a round number.
    if (vocabulary > model.config.vocab_size)
      fail(
        'vocabulary-mismatch',
        `The tokenizer has ${vocabulary} entries, but the model has ${model.config.vocab_size}.`,
        'Export a model together with the tokenizer it was trained with.',
      );
    const { path } = context.outputFolder('model');
    writeModel(path, model, source);
    writeFileSync(join(path, 'README.md'), modelCard(context.config.name, model));
    for (const file of ['tokenizer.json', 'vocab.json', 'merges.txt'])
      if (!existsSync(join(path, file))) context.log(`warning: the tokenizer has no ${file}`);
    context.metric('parameters', countParameters(parameterSpecs(model.config, model.head)));
  },
});

/** Class that loads a model with each head, and the hub's name of its task. */
const autoClasses = {
  'masked-lm': ['AutoModelForMaskedLM', 'fill-mask'],
  classification: ['AutoModelForSequenceClassification', 'text-classification'],
  encoder: ['AutoModel', 'feature-extraction'],
} as const;

function modelCard(name: string, { config, head, labels }: LoadedModel): string {
  const [type, tag] = autoClasses[head.kind];
  return [
    '---',
    'library_name: transformers',
    `pipeline_tag: ${tag}`,
    '---',
    '',
    `# ${name}`,
    '',
    `RoBERTa with ${config.num_hidden_layers} layers of ${config.hidden_size}, ${config.num_attention_heads} ` +
      `heads, a vocabulary of ${config.vocab_size} and inputs of up to ${config.max_position_embeddings - 2} ` +
      'tokens.',
    ...(labels.length > 0 ? ['', `Classes: ${labels.join(', ')}.`] : []),
    '',
    '```python',
    `from transformers import AutoTokenizer, ${type}`,
    "tokenizer = AutoTokenizer.from_pretrained('.')",
    `model = ${type}.from_pretrained('.')`,
    '```',
    '',
  ].join('\n');
}
