import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memory, tidy, variableGrads, type Tensor } from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import type { RobertaConfig } from '../../src/model/config.ts';
import { readModel, writeModel } from '../../src/model/hf.ts';
import { createParameters, disposeParameters, initialValues, parameterSpecs, type Head, type ParameterSpec } from '../../src/model/parameters.ts';
import { classificationLogits, encode, loss, maskedLmLogits, type Batch } from '../../src/model/roberta.ts';
import { draw32, fillNormal, key32 } from '../../src/ops/random.ts';
import { availableBackends, missingBackends } from '../rig/backends.ts';
import { missingModules, runPython } from '../rig/python.ts';

const missing = missingModules('torch', 'transformers');

const config: RobertaConfig = {
  vocab_size: 120, hidden_size: 48, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 96, max_position_embeddings: 20,
  hidden_dropout_prob: 0.1, attention_probs_dropout_prob: 0.1, layer_norm_eps: 1e-5, initializer_range: 0.02,
};
const length = 12;
/** Three sequences of different length, padded. */
const input_ids = Int32Array.from({ length: 3 * length }, (_, i) => (i % length >= length - 3 * Math.floor(i / length) ? 1 : i % length === 0 ? 0 : 4 + (draw32(9, i) % 116)));
const batch: Batch = { input_ids, batch: 3, length };
const rows = [0, 1, 2].map((row) => [...input_ids.slice(row * length, (row + 1) * length)]);

interface Answer { logits: number[]; architecture: string; missing: string[]; unexpected: string[]; parameters: number; loss?: number; gradients?: Record<string, number[]> }

function ask(folder: string, request: object): Answer {
  const script = new URL('oracle.py', import.meta.url).pathname;
  return JSON.parse(runPython([script, folder], request)) as Answer;
}

/** Weights far from their initial size, so that a mistake in any of them shows. */
function loudValues(head: Head): Map<string, Float32Array> {
  const values = initialValues(parameterSpecs(config, head), config, 3);
  for (const [name, data] of values) {
    const noise = new Float32Array(data.length);
    fillNormal(noise, key32('loud', name), 0.2);
    for (let i = 0; i < data.length; i++) data[i] = (data[i] as number) + (noise[i] as number);
  }
  return values;
}

describe.skipIf(missing !== undefined)(`transformers agrees${missing === undefined ? '' : ` (skipped: ${missing})`}`, () => {
  test.each(availableBackends.flatMap((backend) => [
    { backend, name: backend.name, head: { kind: 'masked-lm' } as Head, architecture: 'RobertaForMaskedLM' },
    { backend, name: backend.name, head: { kind: 'classification', labels: 3 } as Head, architecture: 'RobertaForSequenceClassification' },
  ]))('$architecture on $name: logits, loss and every gradient', async ({ head, backend, architecture }) => {
    await openBackend(backend);
    const before = memory().numTensors;
    const folder = mkdtempSync(join(tmpdir(), 'hf-'));
    const saved = mkdtempSync(join(tmpdir(), 'hf-saved-'));
    const values = loudValues(head);
    writeModel(folder, { config, head, labels: head.kind === 'classification' ? ['a', 'b', 'c'] : [], values }, folder);
    const sharded = head.kind === 'classification';
    const labels = head.kind === 'classification' ? [2, 0, 1] : rows.map((row) => row.map((id, i) => (id !== 1 && i % 3 === 1 ? (id + 7) % 120 : -100)));
    const answer = ask(folder, { input_ids: rows, labels, save: saved, max_shard_size: sharded ? '40KB' : '1GB' });
    expect(answer).toMatchObject({ architecture, missing: [], unexpected: [] });

    const specs = new Map(parameterSpecs(config, head).map((spec) => [spec.name, spec]));
    const parameters = createParameters([...specs.values()], values);
    const model = { config, parameters };
    const everywhere = Int32Array.from(input_ids.keys()).filter((i) => input_ids[i] !== 1);
    const ours = tidy(() => (head.kind === 'masked-lm' ? maskedLmLogits(model, encode(model, batch, undefined), everywhere) : classificationLogits(model, encode(model, batch, undefined), batch, undefined)).dataSync());
    const width = head.kind === 'masked-lm' ? config.vocab_size : 3;
    const theirs = head.kind === 'masked-lm' ? [...everywhere].flatMap((at) => answer.logits.slice(at * width, (at + 1) * width)) : answer.logits;
    expect(ours.length).toBe(theirs.length);
    expect(Math.max(...theirs.map((value, i) => Math.abs(value - (ours[i] as number))))).toBeLessThan(1e-4);

    const flat = labels.flat();
    const positions = Int32Array.from(flat.keys()).filter((i) => flat[i] !== -100);
    const targets = positions.map((at) => flat[at] as number);
    const { value, grads } = variableGrads(() => loss(head.kind === 'masked-lm' ? maskedLmLogits(model, encode(model, batch, undefined), positions) : classificationLogits(model, encode(model, batch, undefined), batch, undefined), targets, targets.length), [...parameters.values()]);
    expect(value.dataSync()[0]).toBeCloseTo(answer.loss as number, 4);
    for (const [name, variable] of parameters) {
      const { shape, transposed } = specs.get(name) as ParameterSpec;
      const gradient = (grads[variable.name] as Tensor).dataSync();
      const expected = answer.gradients?.[name] as number[];
      const [rows = 0, columns = 0] = shape;
      const error = expected.map((value, i) => value - (gradient[transposed ? (i % rows) * columns + Math.floor(i / rows) : i] as number));
      // Softmax does not see a key's bias, so its true gradient is 0 and what is left is rounding, in the measure of its weight's.
      const measure = answer.gradients?.[name.replace('key.bias', 'key.weight')] as number[];
      expect(gradient.length).toBe(expected.length);
      expect(Math.hypot(...error) / Math.hypot(...measure), name).toBeLessThan(1e-4);
    }
    for (const gradient of Object.values(grads)) gradient.dispose();
    value.dispose();
    disposeParameters(parameters);
    expect(memory().numTensors).toBe(before);

    expect(existsSync(join(saved, 'model.safetensors.index.json'))).toBe(sharded);
    const back = readModel(saved);
    expect(back.head).toEqual(head);
    for (const [name, data] of values) expect(back.values.get(name), name).toEqual(data);
  }, 120_000);
});

if (missing !== undefined) test.skip(`transformers oracle: ${missing}`, () => {});
for (const reason of missingBackends.values()) test.skip(`transformers oracle: ${reason}`, () => {});
