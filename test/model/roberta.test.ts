import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { presets, type RobertaConfig } from '../../src/model/config.ts';
import { Optimizer } from '../../src/training/optimizer.ts';
import {
  countParameters,
  createParameters,
  disposeParameters,
  initialValues,
  parameterSpecs,
} from '../../src/model/parameters.ts';
import { encode, loss, maskedLmLogits, positionIds, type Batch } from '../../src/model/roberta.ts';
import { trainStep } from '../../src/training/train-step.ts';
import { draw32 } from '../../src/ops/random.ts';

const common = {
  max_position_embeddings: 66,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-5,
  initializer_range: 0.02,
};
const micro: RobertaConfig = {
  ...common,
  vocab_size: 64,
  hidden_size: 32,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 64,
};

test('RoBERTa base has the 202 tensors and 124,697,433 parameters of the paper', () => {
  const specs = parameterSpecs(
    { ...common, ...presets.base, vocab_size: 50265, max_position_embeddings: 514 },
    { kind: 'masked-lm' },
  );
  expect(specs.length).toBe(202);
  expect(countParameters(specs)).toBe(124697433);
});

test('positions count tokens from 2 and leave padding at 1', () => {
  expect([...positionIds({ input_ids: Int32Array.from([0, 9, 2, 1, 0, 9, 9, 2]), batch: 2, length: 4 })]).toEqual([
    2, 3, 4, 1, 2, 3, 4, 5,
  ]);
});

/** Random tokens, every fifth one masked; labels are the ids before masking, learnable from the neighbour. */
function example(
  step: number,
  batch: number,
  length: number,
  vocab: number,
): { inputs: Batch; positions: Int32Array; labels: Int32Array } {
  const input_ids = Int32Array.from(
    { length: batch * length },
    (_, i) => 4 + (((draw32(step, Math.floor(i / length)) % 7) + (i % length)) % (vocab - 6)),
  );
  const positions = Int32Array.from({ length: Math.floor(input_ids.length / 5) }, (_, i) => i * 5);
  const labels = positions.map((at) => input_ids[at] as number);
  for (const at of positions) input_ids[at] = vocab - 1;
  return { inputs: { input_ids, batch, length }, positions, labels };
}

describe('training on wasm', () => {
  beforeAll(() => openBackend('wasm'));

  test('the loss falls, memory stays flat, and accumulation equals one large batch', () => {
    const specs = parameterSpecs(micro, { kind: 'masked-lm' });
    const run = (steps: number, dropout: boolean, split: boolean) => {
      const parameters = createParameters(specs, initialValues(specs, micro, 1));
      const optimizer = new Optimizer(parameters, {
        adam_beta1: 0.9,
        adam_beta2: 0.98,
        adam_epsilon: 1e-6,
        weight_decay: 0.01,
      });
      const model = { config: micro, parameters };
      const losses: number[] = [];
      const tensors: number[] = [];
      for (let step = 0; step < steps; step++) {
        const { inputs, positions, labels } = example(step, 8, 16, micro.vocab_size);
        const part = (rows: number, start: number) => () => {
          const from = start * inputs.length;
          const to = (start + rows) * inputs.length;
          const inside = [...positions.keys()].filter(
            (i) => (positions[i] as number) >= from && (positions[i] as number) < to,
          );
          const batch = { input_ids: inputs.input_ids.slice(from, to), batch: rows, length: inputs.length };
          const hidden = encode(model, batch, dropout ? step : undefined);
          return loss(
            maskedLmLogits(
              model,
              hidden,
              Int32Array.from(inside, (i) => (positions[i] as number) - from),
            ),
            Int32Array.from(inside, (i) => labels[i] as number),
            labels.length,
          );
        };
        losses.push(trainStep(optimizer, split ? [part(5, 0), part(3, 5)] : [part(8, 0)], 3e-3).loss);
        tensors.push(tf.memory().numTensors);
      }
      optimizer.dispose();
      disposeParameters(parameters);
      return { losses, tensors };
    };
    const { losses, tensors } = run(40, true, false);
    expect(losses.at(-1)).toBeLessThan((losses[0] as number) * 0.7);
    expect(new Set(tensors).size).toBe(1);
    const [whole, parts] = [run(3, false, false), run(3, false, true)];
    for (const [i, value] of whole.losses.entries()) expect(parts.losses[i]).toBeCloseTo(value, 4);
    expect(tf.memory().numTensors).toBe(0);
  });
});
