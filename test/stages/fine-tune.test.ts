import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import exportStage from '../../stages/export/index.ts';
import fineTune from '../../stages/fine-tune/index.ts';
import pretrain from '../../stages/pretrain/index.ts';
import { classificationMetrics } from '../../src/training/classification-metrics.ts';
import { parseLabelledTexts } from '../../src/training/labelled-texts.ts';
import { padded } from '../../src/training/masked-batch.ts';
import { openBackend } from '../../src/backends/select.ts';
import { readModel, writeModel } from '../../src/model/hf.ts';
import { createParameters, disposeParameters, parameterSpecs } from '../../src/model/parameters.ts';
import { classificationLogits, encode } from '../../src/model/roberta.ts';
import { readBack } from '../../src/ops/index.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { draw32 } from '../../src/ops/random.ts';
import type { StageType } from '../../src/core/stage.ts';
import { loudValues } from '../rig/hugging-face-folder.ts';
import { folderOf, runStage, type TestArtifact } from '../rig/run-stage.ts';
import { pretrainingInputs, sentence } from './model-fixture.ts';

let model: TestArtifact;
const folder = mkdtempSync(join(tmpdir(), 'labelled-'));

beforeAll(async () => {
  const { tokenizer, masked } = await pretrainingInputs(16, 32);
  const config = {
    hidden_size: 32,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    max_length: 32,
    batch_size: 8,
    max_steps: 2,
    backend: 'wasm',
  };
  model = (await runStage(pretrain, { type: 'pretrain', config, inputs: { tokenizer, masked } })).outputs.model!;
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => {
      const good = draw32(11, from + i) % 5 < 2;
      return {
        text: `${good ? 'What a joy.' : 'It was awful.'} ${sentence(from + i)}`,
        label: good ? 'positive' : 'negative',
      };
    });
  writeFileSync(
    join(folder, 'train.jsonl'),
    rows(0, 96)
      .map((row) => JSON.stringify(row))
      .join('\n'),
  );
  writeFileSync(
    join(folder, 'eval.tsv'),
    ['label\ttext', ...rows(500, 40).map(({ text, label }) => `${label}\t${text}`), ''].join('\r\n'),
  );
});

test('fine-tuning beats the majority class, and export leaves a complete folder', async () => {
  const sources = { train: [join(folder, 'train.jsonl')], eval: [join(folder, 'eval.tsv')] };
  const config = { train: 'train.jsonl', eval: 'eval.tsv', epochs: 8, learning_rate: 3e-3, backend: 'wasm', seed: 1 };
  const { outputs, metrics } = await runStage(fineTune, { type: 'fine-tune', config, inputs: { model }, sources });
  expect(metrics.majority).toBeLessThan(0.75);
  expect(metrics.accuracy).toBeGreaterThan(0.9);
  expect(metrics.f1).toBeGreaterThan(0.9);
  expect(Object.fromEntries((await outputs.metrics!.rows()).map(({ name, value }) => [name, value]))).toEqual(metrics);
  const exported = await runStage(exportStage, { type: 'export', inputs: { model: outputs.model! } });
  const path = exported.outputs.model!.folder;
  expect(readdirSync(path).sort()).toEqual([
    'README.md',
    'config.json',
    'merges.txt',
    'model.safetensors',
    'special_tokens_map.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.json',
  ]);
  expect(JSON.parse(readFileSync(join(path, 'config.json'), 'utf8'))).toMatchObject({
    architectures: ['RobertaForSequenceClassification'],
    id2label: { 0: 'negative', 1: 'positive' },
    label2id: { negative: 0, positive: 1 },
  });
  expect(readFileSync(join(path, 'model.safetensors'))).toEqual(
    readFileSync(join(outputs.model!.folder, 'model.safetensors')),
  );
});

describe('a model that is a classifier', () => {
  // Neither order of names is that of the ids.
  const names = ['CONTRADICTION', 'NEUTRAL', 'ENTAILMENT'];
  const head = { kind: 'classification', labels: 3 } as const;
  const texts = Array.from({ length: 60 }, (_, i) => sentence(i));
  let classifier: TestArtifact;
  let guesses: number[];
  beforeAll(async () => {
    const { config } = readModel(model.folder);
    const values = loudValues(config, head);
    const path = mkdtempSync(join(tmpdir(), 'classifier-'));
    const tokenizer = new Tokenizer(loadTokenizer(model.folder));
    const batch = padded(texts.map((text) => [0, ...tokenizer.encode(text), 2]));
    await openBackend('wasm');
    const scores = () => {
      const parameters = createParameters(parameterSpecs(config, head), values);
      const of = { config, parameters };
      const [logits] = readBack(() => [classificationLogits(of, encode(of, batch, undefined), batch, undefined)]);
      disposeParameters(parameters);
      return texts.map((_, row) => [...logits.subarray(3 * row, 3 * row + 3)]);
    };
    // Without what all texts have in common, it guesses each class for some.
    const bias = values.get('classifier.out_proj.bias')!;
    for (const row of scores()) row.forEach((score, id) => (bias[id]! -= score / texts.length));
    guesses = scores().map((row) => row.indexOf(Math.max(...row)));
    writeModel(path, { config, head, labels: names, values }, model.folder);
    classifier = folderOf('model', path);
    expect(new Set(guesses).size).toBe(3);
  });

  /** Fine-tuned at a learning rate of nothing, on texts labelled by the model's own guesses. */
  async function tuned(spelling: (name: string) => string) {
    const labelled = join(mkdtempSync(join(tmpdir(), 'labelled-')), 'texts.jsonl');
    writeFileSync(
      labelled,
      texts.map((text, i) => JSON.stringify({ text, label: spelling(names[guesses[i]!]!) })).join('\n'),
    );
    const { outputs, metrics, messages } = await runStage(fineTune, {
      type: 'fine-tune',
      config: { train: 'x', eval: 'y', epochs: 1, learning_rate: 1e-30, weight_decay: 0, backend: 'wasm' },
      inputs: { model: classifier },
      sources: { train: [labelled], eval: [labelled] },
    });
    const json = JSON.parse(readFileSync(join(outputs.model!.folder, 'config.json'), 'utf8')) as {
      id2label: Record<string, string>;
    };
    return {
      accuracy: metrics.accuracy,
      labels: Object.values(json.id2label),
      logs: messages.flatMap((message) => (message.type === 'log' ? [message.text] : [])),
      sameHead: [...readModel(outputs.model!.folder).values]
        .filter(([name]) => name.startsWith('classifier.'))
        .every(([name, data]) => data.every((value, i) => value === readModel(classifier.folder).values.get(name)![i])),
    };
  }

  test.each([
    ['as the model spells them', (name: string) => name],
    ['in another case', (name: string) => name.toLowerCase()],
  ])('keeps its ids and its head when the classes are the same, %s', async (_, spelling) => {
    const { logs, ...rest } = await tuned(spelling);
    expect(rest).toEqual({ accuracy: 1, labels: names, sameHead: true });
    expect(logs).toContain(
      "the classes are the model's, with its ids and its head: 0 CONTRADICTION, 1 NEUTRAL, 2 ENTAILMENT",
    );
  });

  test('gets a new head when they are others, and says so', async () => {
    const { logs, ...rest } = await tuned((name) => (name === 'NEUTRAL' ? 'UNKNOWN' : name));
    expect(rest).toMatchObject({ labels: ['CONTRADICTION', 'ENTAILMENT', 'UNKNOWN'], sameHead: false });
    expect(logs).toContain(
      'the model has other classes (CONTRADICTION, NEUTRAL, ENTAILMENT), so its head is replaced by a new one; ' +
        'the classes are 0 CONTRADICTION, 1 ENTAILMENT, 2 UNKNOWN',
    );
  });
});

test('texts at a URL are fetched once, however many models are tuned on them', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url!);
    response.end(readFileSync(join(folder, request.url!)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const at = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const directory = mkdtempSync(join(tmpdir(), 'fine-tune-'));
    const sources = { train: [`${at}/train.jsonl`], eval: [`${at}/eval.tsv`] };
    for (const seed of [1, 2])
      await runStage(fineTune, {
        type: 'fine-tune',
        config: { train: 'x', eval: 'y', epochs: 1, backend: 'wasm', seed },
        inputs: { model },
        sources,
        directory,
      });
    expect(asked.sort()).toEqual(['/eval.tsv', '/train.jsonl']);
  } finally {
    server.close();
  }
});

test.each([
  ['fine-tune', fineTune],
  ['export', exportStage],
] as const)('%s says that a model has no tokenizer', async (type, stage) => {
  const bare = mkdtempSync(join(tmpdir(), 'bare-'));
  for (const file of ['config.json', 'model.safetensors']) copyFileSync(join(model.folder, file), join(bare, file));
  const config = type === 'fine-tune' ? { train: 'train.jsonl', eval: 'eval.tsv', backend: 'wasm' } : { name: 'x' };
  const run = runStage(stage as StageType<never>, {
    type,
    config,
    inputs: { model: folderOf('model', bare) },
    sources: { train: [join(folder, 'train.jsonl')], eval: [join(folder, 'eval.tsv')] },
  });
  await expect(run).rejects.toMatchObject({
    diagnostic: { code: 'no-tokenizer', message: 'The model does not have a tokenizer.' },
  });
});

describe('labelled texts', () => {
  const columns = { text: 'text', label: 'label' };
  const bytes = (text: string) => new TextEncoder().encode(text);
  test.each([
    { name: 'a.tsv', text: 'text\tlabel\nhi there\tgood\n' },
    { name: 'a.csv', text: '\uFEFFlabel,text\r\ngood,"hi there"\r\n' },
    { name: 'a.jsonl', text: '{"text":"hi there","label":"good","more":1}\n\n' },
  ])('$name', ({ name, text }) =>
    expect(parseLabelledTexts(name, bytes(text), columns)).toEqual([{ text: 'hi there', label: 'good' }]),
  );

  test('a quoted CSV cell holds commas, quotes and line ends', () => {
    expect(parseLabelledTexts('a.csv', bytes('text,label\n"a, ""b""\nc",1\n'), columns)).toEqual([
      { text: 'a, "b"\nc', label: '1' },
    ]);
  });

  test('CSV takes a quote inside a plain cell, and TSV takes quotes as they are', () => {
    expect(parseLabelledTexts('a.csv', bytes('text,label\na 5" disk,1'), columns)).toEqual([
      { text: 'a 5" disk', label: '1' },
    ]);
    expect(parseLabelledTexts('a.tsv', bytes('text\tlabel\n"hi\t1\r\n'), columns)).toEqual([
      { text: '"hi', label: '1' },
    ]);
  });

  test.each([
    { name: 'a.csv', text: 'text,label\r\n\r\n"a\r\nb",1\r\n \r\nc\r\n', message: /a\.csv:6 has 1 columns/ },
    { name: 'a.csv', text: 'text,label\né,1\n\n"a\nb,2\n', message: /a\.csv:4 has a quote that is never closed/ },
    { name: 'a.csv', text: '\n', message: /a\.csv is empty/ },
    { name: 'a.tsv', text: 'text\tlabel\nhi\n', message: /a\.tsv:2 has 1 columns/ },
    { name: 'a.jsonl', text: '{"text":"hi"}\n', message: /a\.jsonl:1 has no "label"/ },
    { name: 'a.jsonl', text: '\n{oops\n', message: /a\.jsonl:2 is not a JSON object/ },
    { name: 'a.docx', text: 'x', message: /cannot detect its format/ },
    { name: 'a.tsv', text: 'text\tlabel\n', message: /no rows/ },
  ])('$name: $message', ({ name, text, message }) =>
    expect(() => parseLabelledTexts(name, bytes(text), columns)).toThrow(message),
  );
});

test('metrics are macro averages over the classes that occur', () => {
  expect(classificationMetrics([0, 0, 1, 1], [0, 1, 1, 1], 3)).toEqual({
    accuracy: 0.75,
    precision: 0.75,
    recall: (1 + 2 / 3) / 2,
    f1: (2 / 3 + 4 / 5) / 2,
    majority: 0.75,
  });
});
