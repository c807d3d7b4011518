import { readFileSync, readdirSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Head } from '../../src/model/parameters.ts';
import { readModel } from '../../src/model/hf.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import importModel from '../../stages/import-model/index.ts';
import evaluate from '../../stages/evaluate/index.ts';
import exportStage from '../../stages/export/index.ts';
import pretrain from '../../stages/pretrain/index.ts';
import { HuggingFaceFolder, loudValues, tinyConfig } from '../rig/hugging-face-folder.ts';
import { runStage } from '../rig/run-stage.ts';
import { pretrainingInputs } from './model-fixture.ts';

let inputs: Awaited<ReturnType<typeof pretrainingInputs>>;
let config = tinyConfig;
const vocabulary = () => inputs.tokenizer.folder;
beforeAll(async () => {
  inputs = await pretrainingInputs(16, 32);
  config = { ...tinyConfig, vocab_size: inputs.vocabSize };
});

const maskedLm: Head = { kind: 'masked-lm' };
const words = 'roberta.embeddings.word_embeddings.weight';
const query = 'roberta.encoder.layer.1.attention.self.query.weight';
const types = 'roberta.embeddings.token_type_embeddings.weight';

/** Run the stage on every file of a folder, as the planner finds them. */
async function run({ path }: HuggingFaceFolder) {
  const sources = {
    path: readdirSync(path)
      .sort()
      .map((name) => join(path, name)),
  };
  const { outputs, messages, metrics } = await runStage(importModel, {
    type: 'import-model',
    config: { path },
    sources,
  });
  const model = outputs.model!;
  return {
    model,
    loaded: readModel(model.folder),
    tokenizer: outputs.tokenizer!,
    logs: messages.flatMap((message) => (message.type === 'log' ? [message.text] : [])),
    metrics,
  };
}

/** Values of one tensor of a folder, changed, as they come out of the stage. */
const zeros = (shape: readonly number[]) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) });

describe('import-model takes', () => {
  const rows: {
    name: string;
    head?: Head;
    change: (folder: HuggingFaceFolder) => void;
    expected?: Record<string, unknown>;
    head_out?: Head;
    log?: RegExp;
    lossy?: number;
  }[] = [
    { name: 'a folder of ours', change: (folder) => folder.write() },
    { name: 'shards and their index', change: (folder) => folder.write({ shards: 3 }) },
    {
      name: 'bfloat16, widened',
      change: (folder) => folder.write({ everywhere: 'BF16' }),
      lossy: 2 ** -7,
      log: /^BF16 weights were widened/,
    },
    {
      name: 'float16, widened',
      change: (folder) => folder.write({ everywhere: 'F16' }),
      lossy: 2 ** -10,
      log: /^F16 weights were widened/,
    },
    { name: 'a classifier', head: { kind: 'classification', labels: 3 }, change: (folder) => folder.write() },
    {
      name: 'buffers, a pooler and tied tensors that older versions saved',
      log: /^ignored, because they are not used here: roberta.pooler.dense.bias, roberta.pooler.dense.weight$/,
      change: (folder) => {
        folder.tensors.set('roberta.embeddings.position_ids', {
          shape: [1, 34],
          data: Float32Array.from({ length: 34 }, (_, i) => i),
        });
        for (const name of ['weight', 'bias'])
          folder.tensors.set(`roberta.pooler.dense.${name}`, zeros(name === 'bias' ? [16] : [16, 16]));
        folder.tensors.set('lm_head.decoder.weight', folder.tensor(words));
        folder.tensors.set('lm_head.decoder.bias', folder.tensor('lm_head.bias'));
        folder.write({ dtypes: { 'roberta.embeddings.position_ids': 'I64' } });
      },
    },
    {
      name: "a word table and bias saved as the decoder's",
      change: (folder) => {
        folder.rename(words, 'lm_head.decoder.weight');
        folder.rename('lm_head.bias', 'lm_head.decoder.bias');
        folder.write();
      },
    },
    {
      name: 'XLM-RoBERTa',
      change: (folder) => {
        Object.assign(folder.config, { model_type: 'xlm-roberta', architectures: ['XLMRobertaForMaskedLM'] });
        folder.write();
      },
    },
    {
      name: 'CamemBERT, whose ids of <s> and </s> are others',
      expected: { bos_token_id: 5, eos_token_id: 6 },
      change: (folder) => {
        Object.assign(folder.config, {
          model_type: 'camembert',
          architectures: ['CamembertForMaskedLM'],
          bos_token_id: 5,
          eos_token_id: 6,
        });
        folder.write();
      },
    },
    {
      name: 'a config.json from before some fields, which mean what transformers takes them for',
      expected: { layer_norm_eps: 1e-12, initializer_range: 0.02, hidden_dropout_prob: 0.1 },
      change: (folder) => {
        for (const name of [
          'model_type',
          'position_embedding_type',
          'tie_word_embeddings',
          'layer_norm_eps',
          'initializer_range',
          'hidden_dropout_prob',
          'type_vocab_size',
          'bos_token_id',
          'pad_token_id',
        ])
          delete folder.config[name];
        folder.write();
      },
    },
    {
      name: 'two token types, of which one is used',
      log: /^of 2 token types, only the first was kept/,
      change: (folder) => {
        const { data } = folder.tensor(types);
        folder.tensors.set(types, { shape: [2, 16], data: Float32Array.from([...data, ...data.map(() => 9)]) });
        folder.config.type_vocab_size = 2;
        folder.write();
      },
    },
    {
      name: 'no tokenizer',
      log: /^the model is imported without a tokenizer: .* has neither tokenizer.json nor vocab.json and merges.txt/,
      change: (folder) => {
        for (const file of ['tokenizer.json', 'vocab.json']) rmSync(join(folder.path, file));
        folder.write();
      },
    },
    {
      name: 'no tokenizer.json, which is made of vocab.json and merges.txt',
      change: (folder) => {
        rmSync(join(folder.path, 'tokenizer.json'));
        folder.write();
      },
    },
    {
      name: 'the encoder of a bare RobertaModel',
      head_out: { kind: 'encoder' },
      change: (folder) => {
        for (const name of [...folder.tensors.keys()]) {
          if (name.startsWith('roberta.')) folder.rename(name, name.replace('roberta.', ''));
          else folder.tensors.delete(name);
        }
        folder.config.architectures = ['RobertaModel'];
        folder.write();
      },
    },
    {
      name: 'the encoder of a model with a head of another kind',
      head_out: { kind: 'encoder' },
      log: /^ignored, because they are not used here: qa_outputs.bias, qa_outputs.weight$/,
      change: (folder) => {
        for (const name of [...folder.tensors.keys()]) if (!name.startsWith('roberta.')) folder.tensors.delete(name);
        folder.tensors.set('qa_outputs.weight', zeros([2, 16])).set('qa_outputs.bias', zeros([2]));
        folder.config.architectures = ['RobertaForQuestionAnswering'];
        folder.write();
      },
    },
    {
      name: 'the encoder of a regression',
      head: { kind: 'classification', labels: 1 },
      head_out: { kind: 'encoder' },
      log: /classifier.out_proj.weight$/,
      change: (folder) => folder.write(),
    },
  ];
  test.each(rows)(
    '$name',
    async ({ head = maskedLm, change, expected = {}, head_out = head, log, lossy = 0, name }) => {
      const folder = new HuggingFaceFolder(head, config, vocabulary());
      change(folder);
      const { loaded, tokenizer, logs, model } = await run(folder);
      expect(loaded.config).toEqual({ ...config, bos_token_id: 0, eos_token_id: 2, ...expected });
      expect(loaded.head).toEqual(head_out);
      if (log !== undefined) expect(logs).toContainEqual(expect.stringMatching(log));
      const original = loudValues(config, head);
      for (const [parameter, values] of loaded.values) {
        const wanted = original.get(parameter)!;
        expect(values.length, parameter).toBe(wanted.length);
        expect(
          values.findIndex((value, i) => Math.abs(value - wanted[i]!) > lossy * Math.abs(wanted[i]!)),
          parameter,
        ).toBe(-1);
      }
      if (lossy > 0) expect(loaded.values.get(words)).not.toEqual(original.get(words));
      const hasTokenizer = name !== 'no tokenizer';
      for (const place of [tokenizer.folder, model.folder])
        expect(readdirSync(place).includes('tokenizer.json')).toBe(hasTokenizer);
      if (hasTokenizer) expect(loadTokenizer(tokenizer.folder)).toEqual(loadTokenizer(vocabulary()));
    },
  );
});

describe('import-model refuses', () => {
  const set = (fields: Record<string, unknown>) => (folder: HuggingFaceFolder) => {
    Object.assign(folder.config, fields);
    folder.write();
  };
  const edit = (change: (folder: HuggingFaceFolder) => void) => (folder: HuggingFaceFolder) => {
    change(folder);
    folder.write();
  };
  const rows: { name: string; change: (folder: HuggingFaceFolder) => void; code: string; message: RegExp }[] = [
    {
      name: 'BERT',
      change: set({ model_type: 'bert' }),
      code: 'unsupported-model',
      message:
        /config\.json describes another architecture: model_type is "bert", not roberta, xlm-roberta or camembert/,
    },
    {
      name: 'layer norms before the blocks',
      change: set({ model_type: 'roberta-prelayernorm' }),
      code: 'unsupported-model',
      message: /model_type is "roberta-prelayernorm"/,
    },
    {
      name: 'no model_type and a class of another family',
      change: (folder) => {
        delete folder.config.model_type;
        set({ architectures: ['BertForMaskedLM'] })(folder);
      },
      code: 'unsupported-model',
      message: /model_type is missing/,
    },
    {
      name: 'classes whose ids have a gap',
      change: set({
        architectures: ['RobertaForSequenceClassification'],
        id2label: { 0: 'no', 2: 'yes' },
      }),
      code: 'damaged-model',
      message: /config\.json: id2label names the id "2" where 1 should be/,
    },
    {
      name: 'more classes than can be',
      change: (folder) => {
        delete folder.config.id2label;
        set({ architectures: ['RobertaForSequenceClassification'], num_labels: 1e12 })(folder);
      },
      code: 'damaged-model',
      message: /num_labels is 1000000000000, which is not a number of classes/,
    },
    {
      name: 'everything that differs, at once',
      change: set({
        position_embedding_type: 'relative_key',
        is_decoder: true,
        add_cross_attention: true,
        hidden_act: 'relu',
        pad_token_id: 0,
        tie_word_embeddings: false,
      }),
      code: 'unsupported-model',
      message:
        /hidden_act is "relu", not "gelu"; position_embedding_type is "relative_key", not "absolute"; is_decoder is true, not false; add_cross_attention is true, not false; tie_word_embeddings is false, not true; pad_token_id is 0, not 1\.$/,
    },
    {
      name: 'heads that do not divide the width',
      change: set({ num_attention_heads: 3 }),
      code: 'unsupported-model',
      message: /hidden_size 16 is not a multiple of num_attention_heads 3/,
    },
    {
      name: 'a field that is no number',
      change: set({ hidden_size: '16' }),
      code: 'unsupported-model',
      message: /hidden_size is "16", not a number/,
    },
    {
      name: 'relative positions that only the weights show',
      change: edit((folder) =>
        folder.tensors.set('roberta.encoder.layer.0.attention.self.distance_embedding.weight', zeros([63, 8])),
      ),
      code: 'unsupported-model',
      message:
        /tensors that are not part of the encoder described in config\.json: roberta\.encoder\.layer\.0\.attention\.self\.distance_embedding\.weight/,
    },
    {
      name: 'a missing tensor',
      change: edit((folder) => folder.tensors.delete(query)),
      code: 'damaged-model',
      message:
        /model\.safetensors does not have 1 of the 42 tensors in config\.json: roberta\.encoder\.layer\.1\.attention\.self\.query\.weight/,
    },
    {
      name: 'many missing tensors, of which it names some',
      change: set({ num_hidden_layers: 3 }),
      code: 'damaged-model',
      message: /does not have 16 of the 58 .* and 13 more/,
    },
    {
      name: 'a masked-LM head that is declared and not there',
      change: edit((folder) => {
        for (const name of [...folder.tensors.keys()]) if (name.startsWith('lm_head.')) folder.tensors.delete(name);
      }),
      code: 'damaged-model',
      message: /does not have 5 of the 42 .*: lm_head\.bias, /,
    },
    {
      name: 'a shape that does not fit',
      change: set({ intermediate_size: 64 }),
      code: 'damaged-model',
      message:
        /has 6 tensors with other shapes than config\.json requires: roberta\.encoder\.layer\.0\.intermediate\.dense\.weight is \[32, 16\] instead of \[64, 16\]/,
    },
    {
      name: 'quantised weights',
      change: (folder) => {
        folder.write({ dtypes: { [query]: 'I8' } });
      },
      code: 'unsupported-dtype',
      message:
        /tensor roberta\.encoder\.layer\.1\.attention\.self\.query\.weight is I8; only F32, F16 and BF16 are supported/,
    },
    {
      name: 'a value that is not finite',
      change: edit((folder) => {
        folder.tensor(query).data[5] = Number.NaN;
      }),
      code: 'damaged-model',
      message: /query\.weight has a value that is not finite/,
    },
    {
      name: 'a missing shard',
      change: (folder) => {
        folder.write({ shards: 2 });
        rmSync(join(folder.path, 'model-00002-of-00002.safetensors'));
      },
      code: 'damaged-model',
      message: /names the shard "model-00002-of-00002.safetensors", which is not in its folder/,
    },
    {
      name: 'an index that leads outside',
      change: (folder) => {
        folder.write({ shards: 2 });
        const index = join(folder.path, 'model.safetensors.index.json');
        writeFileSync(index, readFileSync(index, 'utf8').replaceAll('model-00002', '../model-00002'));
      },
      code: 'damaged-model',
      message: /which is not in its folder/,
    },
    {
      name: 'a file that was cut off',
      change: (folder) => {
        folder.write();
        const file = join(folder.path, 'model.safetensors');
        truncateSync(file, readFileSync(file).length - 4);
      },
      code: 'damaged-safetensors',
      message: /the data of tensor \S+ is cut off/,
    },
    {
      name: 'a header cut off',
      change: (folder) => {
        folder.write();
        truncateSync(join(folder.path, 'model.safetensors'), 100);
      },
      code: 'damaged-safetensors',
      message: /its header would be \d+ bytes/,
    },
    {
      name: 'pickled weights',
      change: (folder) => {
        renameSync(join(folder.path, 'model.safetensors'), join(folder.path, 'pytorch_model.bin'));
      },
      code: 'unsupported-model',
      message: /has its weights in pytorch_model\.bin, but not in model\.safetensors/,
    },
    {
      name: 'no weights',
      change: (folder) => {
        rmSync(join(folder.path, 'model.safetensors'));
      },
      code: 'damaged-model',
      message: /has neither model\.safetensors nor/,
    },
    {
      name: 'no config.json',
      change: (folder) => {
        rmSync(join(folder.path, 'config.json'));
      },
      code: 'damaged-model',
      message: /is not a folder with a config\.json/,
    },
    {
      name: 'a config.json that is none',
      change: (folder) => {
        writeFileSync(join(folder.path, 'config.json'), '{"model_type": "rob');
      },
      code: 'damaged-model',
      message: /config\.json cannot be read as JSON/,
    },
    {
      name: 'a tokenizer with more tokens than the model',
      change: edit((folder) => {
        folder.config.vocab_size = 300;
        for (const [name, width] of [
          [words, 16],
          ['lm_head.bias', 1],
        ] as const)
          folder.tensors.set(name, {
            shape: width === 1 ? [300] : [300, width],
            data: folder.tensor(name).data.slice(0, 300 * width),
          });
      }),
      code: 'vocabulary-mismatch',
      message: /has \d+ entries, but its model has only 300/,
    },
  ];
  test.each(rows)('$name', async ({ change, code, message }) => {
    const folder = new HuggingFaceFolder(maskedLm, config, vocabulary());
    change(folder);
    await expect(run(folder)).rejects.toMatchObject({ diagnostic: { code, message: expect.stringMatching(message) } });
  });

  test('a path that takes in only some of the folder', async () => {
    const { path } = new HuggingFaceFolder(maskedLm, config, vocabulary());
    const sources = { path: [join(path, 'config.json'), join(path, 'model.safetensors')] };
    await expect(
      runStage(importModel, { type: 'import-model', config: { path: 'x/*s*' }, sources }),
    ).rejects.toMatchObject({
      diagnostic: {
        code: 'incomplete-source',
        message: expect.stringMatching(/^x\/\*s\* does not match merges\.txt, .*tokenizer\.json/),
      },
    });
  });
});

test('an imported model is evaluated, pretrained further and exported with its own tokenizer alone', async () => {
  const padded = { ...config, vocab_size: Math.ceil((config.vocab_size + 1) / 64) * 64 };
  const { model, tokenizer } = await run(
    new HuggingFaceFolder(maskedLm, padded, vocabulary()).write({ everywhere: 'F16' }),
  );
  const { masked, sequences } = inputs;
  const measure = async (of: typeof model) =>
    (
      await runStage(evaluate, {
        type: 'evaluate',
        config: { backend: 'wasm' },
        inputs: { model: of, sequences },
      })
    ).metrics.loss!;
  const training = {
    type: 'pretrain',
    config: { backend: 'wasm', max_length: 32, batch_size: 8, max_steps: 20, learning_rate: 5e-3 },
    inputs: { masked, tokenizer, init: model },
  };
  const { outputs } = await runStage(pretrain, training);
  expect(await measure(outputs.model!)).toBeLessThan((await measure(model)) - 0.5);
  const exported = await runStage(exportStage, { type: 'export', inputs: { model: outputs.model! } });
  expect(readModel(exported.outputs.model!.folder).config).toMatchObject({
    vocab_size: padded.vocab_size,
    num_hidden_layers: 2,
  });

  const other = (await pretrainingInputs(1, 16)).tokenizer;
  const json = JSON.parse(readFileSync(join(other.folder, 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number> };
  };
  const [first, second] = Object.entries(json.model.vocab).slice(-3, -1) as [[string, number], [string, number]];
  Object.assign(json.model.vocab, { [first[0]]: second[1], [second[0]]: first[1] });
  writeFileSync(join(other.folder, 'tokenizer.json'), JSON.stringify(json));
  await expect(
    runStage(pretrain, { ...training, inputs: { ...training.inputs, tokenizer: other } }),
  ).rejects.toMatchObject({
    diagnostic: {
      code: 'vocabulary-mismatch',
      message: expect.stringContaining('different tokenizer'),
      help: expect.stringContaining('inputs: { init: <stage>, tokenizer: <stage> }'),
    },
  });
});
