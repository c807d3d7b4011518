import { mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import pretrain from '../../stages/pretrain/index.ts';
import evaluate from '../../stages/evaluate/index.ts';
import { openBackend } from '../../src/backends/select.ts';
import { readModel } from '../../src/model/hf.ts';
import { availableBackends, backendsRoot, torchMissing } from '../rig/backends.ts';
import { withPlan } from '../rig/masked.ts';
import { datasetOf, runStage } from '../rig/run-stage.ts';
import { because } from '../rig/skipped.ts';
import { pretrainingInputs } from './model-fixture.ts';

let inputs: Awaited<ReturnType<typeof pretrainingInputs>>;
beforeAll(async () => {
  inputs = await pretrainingInputs(64, 32);
});

const small = {
  hidden_size: 32,
  num_hidden_layers: 1,
  num_attention_heads: 2,
  max_length: 32,
  batch_size: 8,
  learning_rate: 5e-3,
  seed: 7,
  backend: 'wasm',
};

function digest(folder: string): string {
  return createHash('sha256')
    .update(readFileSync(join(folder, 'model.safetensors')))
    .digest('hex');
}

/** Metrics without what depends on the machine. */
function untimed({
  data_wait_seconds: _,
  data_wait_share: __,
  ...metrics
}: Record<string, number>): Record<string, number> {
  return metrics;
}

function train(
  config: Record<string, unknown>,
  options: {
    directory?: string;
    signal?: AbortSignal;
    init?: Awaited<ReturnType<typeof runStage>>['outputs'][string];
  } = {},
) {
  const { init, ...rest } = options;
  const { tokenizer, masked } = inputs;
  return runStage(pretrain, {
    type: 'pretrain',
    config: { ...small, ...config },
    inputs: { tokenizer, masked, ...(init ? { init } : {}) },
    backends: backendsRoot,
    ...rest,
  });
}

describe('pretrain', () => {
  test('learns, gives the same bytes again, and evaluates better than it began', async () => {
    await openBackend('wasm');
    const before = memory().numTensors;
    const { outputs, metrics } = await train({ max_steps: 80 });
    expect(metrics.loss).toBeLessThan(((metrics.loss_first as number) * 2) / 3);
    expect(metrics.tokens).toBe(80 * 8 * 32);
    expect(memory().numTensors).toBe(before);
    const again = await train({ max_steps: 80 });
    expect(digest(again.outputs.model!.folder)).toBe(digest(outputs.model!.folder));

    const { metrics: measured } = await runStage(evaluate, {
      type: 'evaluate',
      config: { backend: 'wasm' },
      inputs: { model: outputs.model!, sequences: inputs.sequences },
    });
    expect(measured.perplexity).toBeCloseTo(Math.exp(measured.loss as number), 6);
    expect(measured.loss).toBeLessThan(metrics.loss_first as number);
    expect(measured.masked_accuracy).toBeGreaterThan(0.05);
    const one = await runStage(evaluate, {
      type: 'evaluate',
      config: { backend: 'wasm', batch_size: 3 },
      inputs: { model: outputs.model!, sequences: inputs.sequences },
    });
    expect(one.metrics.loss).toBeCloseTo(measured.loss as number, 5);

    const { metrics: continued } = await train({ max_steps: 10, learning_rate: 1e-4 }, { init: outputs.model! });
    expect(continued.loss_first).toBeLessThan((metrics.loss_first as number) * 0.75);
  });

  test.each(
    availableBackends
      .filter(({ name }) => name !== 'cpu')
      .flatMap(({ name: backend }) => [
        { backend, name: 'after a clean interruption', damage: false },
        { backend, name: 'from the checkpoint before a damaged one', damage: true },
      ]),
  )('on $backend, resumes $name with the bytes of an undisturbed run', async ({ backend, damage }) => {
    const config = { backend, max_steps: 20, save_steps: 4, gradient_accumulation_steps: 2, batch_size: 4 };
    const whole = await train(config);
    const directory = mkdtempSync(join(tmpdir(), 'resume-'));
    const controller = new AbortController();
    // Training gives way between steps, so this ends it after the first one, with a checkpoint.
    if (!damage) setTimeout(() => controller.abort(), 0);
    const first = train(config, { directory, signal: controller.signal });
    if (damage) await first;
    else await expect(first).rejects.toThrow('aborted');
    const checkpoints = readdirSync(join(directory, 'checkpoint')).sort();
    expect(checkpoints.length).toBeGreaterThan(0);
    if (damage) {
      const state = join(directory, 'checkpoint', checkpoints.at(-1) as string, 'state.safetensors');
      const bytes = readFileSync(state);
      bytes[bytes.length - 3] = (bytes.at(-3) as number) ^ 1;
      writeFileSync(state, bytes);
    }
    const resumed = await train(config, { directory });
    const logs = resumed.messages.flatMap((message) => (message.type === 'log' ? message.text : []));
    expect(logs.some((text) => text.startsWith('resumed after step'))).toBe(true);
    expect(logs.some((text) => text.includes('is damaged'))).toBe(damage);
    expect(digest(resumed.outputs.model!.folder)).toBe(digest(whole.outputs.model!.folder));
    expect(untimed(resumed.metrics)).toEqual(untimed(whole.metrics));
  });

  test('the loss does not depend on how the batch is split', async () => {
    const off = { hidden_dropout_prob: 0, attention_probs_dropout_prob: 0, max_steps: 3 };
    const whole = await train({ ...off, batch_size: 8, gradient_accumulation_steps: 1 });
    const split = await train({ ...off, batch_size: 2, gradient_accumulation_steps: 4 });
    expect(split.metrics.loss).toBeCloseTo(whole.metrics.loss as number, 4);
  });

  test('stops with a reason when every step diverges', async () => {
    await expect(
      train({ max_steps: 20, learning_rate: 1e30, max_bad_steps: 2, warmup_ratio: 0 }),
    ).rejects.toMatchObject({ diagnostic: { code: 'training-diverged' } });
  });

  test('of pairs, also learns which second halves follow, and hands on what other models need', async () => {
    // The second half of a pair from elsewhere has a word of its own.
    const rows = (await inputs.masked.rows()).map((row, i) => {
      const input_ids = Uint32Array.from(row.input_ids as Uint32Array);
      input_ids.set([2, 2], 15);
      if (i % 2 === 1) input_ids.fill(300, 17, 31);
      return { ...row, input_ids, next_sentence_label: i % 2 };
    });
    const pairs = {
      masked: withPlan(await datasetOf('masked', rows), inputs.settings),
      sequences: await datasetOf(
        'sequences',
        rows.map((row, i) => ({ ...row, doc_ids: Uint32Array.of(i) })),
      ),
    };
    const { tokenizer } = inputs;
    const evaluated = async (
      model: Awaited<ReturnType<typeof runStage>>['outputs'][string],
      sequences = pairs.sequences,
    ) =>
      (
        await runStage(evaluate, {
          type: 'evaluate',
          config: { backend: 'wasm' },
          inputs: { model: model!, sequences },
        })
      ).metrics;
    const run = async (
      config: Record<string, unknown>,
      masked = pairs.masked,
      init?: Awaited<ReturnType<typeof runStage>>['outputs'][string],
    ) =>
      (
        await runStage(pretrain, {
          type: 'pretrain',
          config: { ...small, ...config },
          inputs: { tokenizer, masked, ...(init ? { init } : {}) },
        })
      ).outputs.model!;

    const model = await run({ max_steps: 100, hidden_dropout_prob: 0, attention_probs_dropout_prob: 0 });
    expect(readModel(model.folder).head).toEqual({ kind: 'masked-lm', next_sentence: true });
    expect((await evaluated(model)).next_sentence_accuracy).toBeGreaterThan(0.95);
    expect((await evaluated(await run({ max_steps: 1, learning_rate: 1e-6 }))).next_sentence_accuracy).toBeLessThan(
      0.8,
    );

    const plain = await run({ max_steps: 1 }, inputs.masked, model);
    expect(readModel(plain.folder).head).toEqual({ kind: 'masked-lm' });
    expect(await evaluated(plain)).not.toHaveProperty('next_sentence_accuracy');
    expect(await evaluated(model, inputs.sequences)).not.toHaveProperty('next_sentence_accuracy');
    expect(readModel((await run({ max_steps: 1 }, pairs.masked, plain)).folder).head).toEqual({
      kind: 'masked-lm',
      next_sentence: true,
    });
  });

  test('names the settings that help when sequences are too long', async () => {
    const tokenize = 'Set max_length of the tokenize stage that packs these sequences to at most 16';
    await expect(train({ max_length: 16, max_steps: 1 })).rejects.toMatchObject({
      diagnostic: {
        code: 'sequence-too-long',
        help: `${tokenize}, or omit max_length and max_position_embeddings here.`,
      },
    });
    // The positions of a model to continue from are what they are.
    const short = (await pretrainingInputs(16, 8)).masked;
    const { outputs } = await runStage(pretrain, {
      type: 'pretrain',
      config: { ...small, max_length: 16, max_steps: 1 },
      inputs: { tokenizer: inputs.tokenizer, masked: short },
    });
    await expect(train({ max_steps: 1 }, { init: outputs['model']! })).rejects.toMatchObject({
      diagnostic: { code: 'sequence-too-long', help: `${tokenize}.` },
    });
  });

  test('has positions for the longest sequence when max_length is omitted', async () => {
    const { max_length: _, ...config } = small;
    const { tokenizer, masked } = inputs;
    const { outputs } = await runStage(pretrain, {
      type: 'pretrain',
      config: { ...config, max_steps: 1 },
      inputs: { tokenizer, masked },
    });
    const lengths = (await masked.rows()).map(({ input_ids }) => (input_ids as Uint32Array).length);
    const longest = Math.max(...lengths);
    const positions = readModel(outputs['model']!.folder).config.max_position_embeddings - 2;
    expect(positions).toBeGreaterThanOrEqual(longest);
    expect(positions).toBeLessThan(2 * longest);
    expect(Math.log2(positions) % 1).toBe(0);
  });

  test.each([
    { config: { hidden_size: 30, num_attention_heads: 4 }, property: 'num_attention_heads' },
    { config: { max_position_embeddings: 128, max_length: 128 }, property: 'max_position_embeddings' },
    { config: { warmup_steps: 500, max_steps: 300 }, property: 'warmup_steps' },
  ])('refuses nonsense at plan time: $property', ({ config, property }) => {
    expect(
      pretrain
        .check?.({ size: 'tiny', max_length: 64, max_steps: 300, ...config } as never)
        .map((problem) => problem.property),
    ).toEqual([property]);
    expect(pretrain.check?.({ size: 'tiny', max_length: 64, max_steps: 300 } as never)).toEqual([]);
  });

  test.skipIf(torchMissing !== undefined)(
    'learns in bf16 on torch, within 0.1 of its loss in fp32, and gives the same bytes ' +
      `again${because(torchMissing)}`,
    async () => {
      const { tokenizer, masked } = inputs;
      const on = (precision: string) =>
        runStage(pretrain, {
          type: 'pretrain',
          config: { ...small, backend: 'torch', precision, max_steps: 40 },
          inputs: { tokenizer, masked },
          backends: backendsRoot,
        });
      const [wide, low, again] = [await on('fp32'), await on('bf16'), await on('bf16')];
      expect(low.metrics.loss).toBeLessThan(low.metrics.loss_first as number);
      expect(Math.abs((low.metrics.loss as number) - (wide.metrics.loss as number))).toBeLessThan(0.1);
      expect(digest(low.outputs.model!.folder)).not.toBe(digest(wide.outputs.model!.folder));
      expect(digest(again.outputs.model!.folder)).toBe(digest(low.outputs.model!.folder));
    },
  );

  test('writes a folder that reads back as itself', async () => {
    const { outputs } = await train({ max_steps: 1 });
    const model = readModel(outputs.model!.folder);
    expect(model.config).toMatchObject({
      vocab_size: inputs.vocabSize,
      hidden_size: 32,
      intermediate_size: 128,
      max_position_embeddings: 34,
    });
    expect(readdirSync(outputs.model!.folder).sort()).toEqual(
      expect.arrayContaining(['config.json', 'merges.txt', 'model.safetensors', 'tokenizer.json', 'vocab.json']),
    );
  });
});
