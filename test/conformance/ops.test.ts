import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { registerTorch } from '../../src/backends/torch/index.ts';
import type { TorchOptions } from '../../src/backends/torch/backend.ts';
import { fakeCuda, fakeCudaMissing } from '../rig/fake-cuda.ts';
import { withFlashAttention } from '../rig/fake-flash.ts';
import { absentBackends, availableBackends, torch, torchMissing } from '../rig/backends.ts';
import { absent, because } from '../rig/skipped.ts';
import { labelScores, linear, registerGradients } from '../../src/ops/index.ts';
import { ignoredLabel } from '../../src/ops/ignored-label.ts';
import { definitions } from './ops-by-definition.ts';
import { normal, opCases, wideOpCases } from './ops-cases.ts';
import { compositeValues, farthest, valueAndGradients } from './ops-compare.ts';
import { flashDropout } from './ops-flash-dropout.ts';

vi.mock('../../src/backends/torch/bridge.ts', async (original) => {
  const { loadBridge } = await original<typeof import('../../src/backends/torch/bridge.ts')>();
  return { loadBridge: (path: string) => withFlashAttention(loadBridge(path)) };
});

registerGradients();

/** Scores of few and of many classes, some equal, far apart or infinitely low; not all of the labels count. */
const scored = [
  { name: 'seven classes', classes: 7, labels: [3, 0, ignoredLabel, 6, 1, 2] },
  { name: "RoBERTa's vocabulary", classes: 50_265, labels: [3, 50_264, 0, ignoredLabel, 1, 2] },
];

/** What {@link labelScores} says of them, and what it should in doubles, but for ignored labels. */
function labelScoresOf({ classes, labels }: (typeof scored)[number]): { actual: number[][]; expected: number[][] } {
  return tf.tidy(() => {
    const values = Float32Array.from(normal('scores', [labels.length, classes], 3).dataSync());
    const row = (i: number) => values.subarray(i * classes, (i + 1) * classes);
    row(1).set([9, 9], 2); // the first of equals is the best
    row(4).fill(-Infinity, 2).set([-2000, 100]);
    row(5).fill(-0.25);
    const scores = labelScores(tf.tensor2d(values, [labels.length, classes]), tf.tensor1d(labels, 'int32')).dataSync();
    return {
      actual: labels.map((_, i) => [...scores.subarray(3 * i, 3 * i + 3)]),
      expected: labels.map((label, i) => {
        const best = row(i).reduce((top, value, at) => (value > row(i)[top]! ? at : top), 0);
        const max = row(i)[best]!;
        return [max + Math.log(row(i).reduce((sum, value) => sum + Math.exp(value - max), 0)), row(i)[label]!, best];
      }),
    };
  });
}

function expectScores(
  { actual, expected }: ReturnType<typeof labelScoresOf>,
  { labels }: (typeof scored)[number],
): void {
  for (const [i, [logSum, score, best]] of expected.entries()) {
    expect(Math.abs(actual[i]![0]! - logSum!), `log Σ exp of row ${i}`).toBeLessThan(1e-6 * (1 + Math.abs(logSum!)));
    if (labels[i] !== ignoredLabel) expect(actual[i]![1], `score of row ${i}`).toBe(score);
    expect(actual[i]![2], `best of row ${i}`).toBe(best);
  }
}

describe('the composite of plain tfjs ops', () => {
  test.each(scored)('labelScores over $name', async (each) => {
    await compositeValues([]);
    expectScores(labelScoresOf(each), each);
  });
});

describe('fused ops agree with finite differences on cpu', () => {
  beforeAll(() => openBackend('cpu'));
  test.each(opCases)('$name', ({ inputs, op }) => {
    tf.tidy(() => {
      const xs = inputs();
      const y = op(...xs);
      const weights = normal('dy', y.shape);
      const loss = (values: tf.Tensor[]) => [...tf.mul(op(...values), weights).dataSync()].reduce((a, b) => a + b, 0);
      const gradients = tf.grads((...x: tf.Tensor[]) => op(...x))(xs, weights);
      const step = 1e-2;
      for (const [index, x] of xs.entries()) {
        const gradient = gradients[index]?.dataSync() ?? [];
        for (let i = 0; i < x.size; i++) {
          const shifted = (by: number) => {
            const values = Float32Array.from(x.dataSync());
            values[i] = (values[i] ?? 0) + by;
            return loss(xs.map((other, at) => (at === index ? tf.tensor(values, x.shape) : other)));
          };
          const numeric = (shifted(step) - shifted(-step)) / (2 * step);
          expect(Math.abs(numeric - (gradient[i] as number)), `input ${index}[${i}]`).toBeLessThan(
            2e-2 * (1 + Math.abs(numeric)),
          );
        }
      }
    });
  });
});

absentBackends('fused ops');

describe.each(availableBackends)('fused ops on $name equal the composites of plain tfjs ops', (backend) => {
  let composites: ReadonlyMap<string, Float32Array[]>;
  beforeAll(async () => {
    composites = await compositeValues(opCases);
    await openBackend(backend);
    before = tf.memory().numTensors;
  });
  let before = 0;
  afterAll(() => expect(tf.memory().numTensors).toBe(before));

  test.each(opCases)('$name', (each) =>
    expect(farthest(valueAndGradients(each), composites.get(each.name) ?? [])).toBeLessThan(1e-4),
  );

  test.each(scored)('labelScores over $name', (each) => expectScores(labelScoresOf(each), each));

  test.each(definitions)('$name', ({ run }) => {
    for (const { what, actual, expected } of run()) expect(farthest(actual, expected), what).toBeLessThan(1e-4);
  });
});

if (fakeCudaMissing !== undefined) absent('kernels for GPUs', fakeCudaMissing);

async function wasmValues(): Promise<ReadonlyMap<string, Float32Array[]>> {
  await openBackend('wasm');
  return new Map(wideOpCases.map((each) => [each.name, valueAndGradients(each)]));
}

// What GPUs and other processors do: ATen's operators alone, kernels for GPUs, bfloat16 products by the processor or in
// float32.
describe.skipIf(torchMissing !== undefined).each<{ name: string; options: TorchOptions; tolerance: number }>([
  { name: 'fp32, ATen alone', options: { portable: true }, tolerance: 1e-4 },
  ...(['native', 'widened'] as const).flatMap((bfloat16) =>
    [false, true].map((portable) => ({
      name: `bf16, ${bfloat16} products${portable ? ', ATen alone' : ''}`,
      options: { precision: 'bf16' as const, bfloat16, portable },
      tolerance: 0.05,
    })),
  ),
  ...(fakeCudaMissing === undefined
    ? [
        { name: 'fp32, our kernels for GPUs', options: { driver: fakeCuda }, tolerance: 1e-4 },
        {
          name: 'bf16, our kernels for GPUs',
          options: { precision: 'bf16' as const, bfloat16: 'native' as const, driver: fakeCuda },
          tolerance: 0.05,
        },
      ]
    : []),
])(`fused ops on torch: $name${because(torchMissing)}`, ({ options, tolerance }) => {
  let composites: ReadonlyMap<string, Float32Array[]>;
  let wide: ReadonlyMap<string, Float32Array[]>;
  const onGpu = options.driver !== undefined;
  const bridge = torch?.native?.bridge ?? '';
  beforeAll(async () => {
    composites = await compositeValues(opCases);
    if (onGpu) wide = await wasmValues();
    await openBackend(torch ?? 'torch');
    registerTorch(bridge, options);
  }, 60_000);
  afterAll(() => registerTorch(bridge));

  test.each(opCases)('$name', (each) => {
    const actual = valueAndGradients(each);
    expect(farthest(actual, composites.get(each.name) ?? [])).toBeLessThan(tolerance);
    expect(valueAndGradients(each)).toEqual(actual);
  });

  if (onGpu)
    test.each(wideOpCases)('$name', (each) => {
      expect(farthest(valueAndGradients(each), wide.get(each.name) ?? [])).toBeLessThan(tolerance);
    });

  if (onGpu && options.precision === 'bf16')
    test('FlashAttention with dropout', () => {
      const found = flashDropout();
      expect(found.length).toBeGreaterThan(0);
      for (const { what, actual, expected } of found) expect(farthest(actual, expected), what).toBeLessThan(tolerance);
    });

  test.each(scored)('labelScores over $name', (each) => expectScores(labelScoresOf(each), each));

  test('labelScores of a product are summed in float32, whatever the product is held in', () => {
    tf.tidy(() => {
      const product = linear(normal('x', [4, 8]) as tf.Tensor2D, normal('w', [8, 3001]) as tf.Tensor2D);
      const held = product.dataSync<'float32'>();
      const scores = labelScores(product, tf.tensor1d([0, 1, 2, 3], 'int32')).dataSync();
      for (let i = 0; i < 4; i++) {
        const row = held.subarray(i * 3001, (i + 1) * 3001);
        expect(scores[3 * i]).toBeCloseTo(Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)), 5);
        expect(scores[3 * i + 1]).toBe(row[i]);
        expect(scores[3 * i + 2]).toBe(row.indexOf(row.reduce((a, b) => Math.max(a, b))));
      }
    });
  });
});
