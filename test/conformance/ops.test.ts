import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { registerTorch } from '../../src/backends/torch/index.ts';
import type { TorchOptions } from '../../src/backends/torch/backend.ts';
import { fakeCuda, fakeCudaMissing } from '../rig/fake-cuda.ts';
import { withFlashAttention } from '../rig/fake-flash.ts';
import { absentBackends, availableBackends, torch, torchMissing } from '../rig/backends.ts';
import { absent, because } from '../rig/skipped.ts';
import {
  adamW,
  attention,
  biasGelu,
  crossEntropy,
  dropout,
  embedding,
  globalNorm,
  layerNorm,
  linear,
  registerGradients,
  residualNorm,
  tiedDecoder,
} from '../../src/ops/index.ts';
import { fillNormal, key32 } from '../../src/ops/random.ts';
import { ignoredLabel } from '../../src/ops/ignored-label.ts';

vi.mock('../../src/backends/torch/addon.ts', async (original) => {
  const { loadAddon } = await original<typeof import('../../src/backends/torch/addon.ts')>();
  return { loadAddon: (path: string) => withFlashAttention(loadAddon(path)) };
});

registerGradients();

/** Deterministic inputs, the same on every backend. */
function normal(name: string, shape: number[], deviation = 1): tf.Tensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  fillNormal(values, key32(name), deviation);
  return tf.tensor(values, shape);
}

const ids = () => tf.tensor1d([3, 0, 3, 5, 1, 2], 'int32');
const bias = () => tf.tensor3d([0, 0, 0, 0, 0, -1e9], [2, 1, 3]);

/** Each op as a function of tensors to a tensor, with its inputs. */
const cases: { name: string; inputs: () => tf.Tensor[]; op: (...x: tf.Tensor[]) => tf.Tensor }[] = [
  {
    name: 'linear',
    inputs: () => [normal('x', [6, 8]), normal('w', [8, 5]), normal('b', [5])],
    op: (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  {
    name: 'tiedDecoder',
    inputs: () => [normal('x', [6, 8]), normal('w', [5, 8]), normal('b', [5])],
    op: (x, w, b) => tiedDecoder(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  {
    name: 'linear without a bias',
    inputs: () => [normal('x', [6, 8]), normal('w', [8, 5])],
    op: (x, w) => linear(x as tf.Tensor2D, w as tf.Tensor2D),
  },
  {
    name: 'linear of joined weights',
    inputs: () => [normal('x', [6, 8]), normal('w', [8, 5]), normal('v', [8, 3]), normal('b', [5]), normal('c', [3])],
    op: (x, w, v, b, c) =>
      linear(x as tf.Tensor2D, tf.concat([w!, v!], -1) as tf.Tensor2D, tf.concat([b!, c!], -1) as tf.Tensor1D),
  },
  {
    name: 'biasGelu',
    inputs: () => [normal('x', [6, 40], 2), normal('b', [40])],
    op: (x, b) => biasGelu(x as tf.Tensor2D, b as tf.Tensor1D),
  },
  ...[0, 0.3].map((rate) => ({
    name: `residualNorm, dropout ${rate}`,
    inputs: () => [normal('x', [6, 24]), normal('b', [24]), normal('r', [6, 24]), normal('w', [24]), normal('s', [24])],
    op: (...[x, b, r, w, s]: tf.Tensor[]) =>
      residualNorm(x as tf.Tensor2D, b as tf.Tensor1D, r as tf.Tensor2D, w as tf.Tensor1D, s as tf.Tensor1D, {
        epsilon: 1e-5,
        rate,
        key: 21,
      }),
  })),
  {
    name: 'layerNorm',
    inputs: () => [normal('x', [6, 8], 3), normal('w', [8]), normal('b', [8])],
    op: (x, w, b) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
  },
  { name: 'dropout', inputs: () => [normal('x', [6, 8])], op: (x) => dropout(x as tf.Tensor, 0.3, 17) },
  { name: 'embedding', inputs: () => [normal('t', [7, 4])], op: (t) => embedding(t as tf.Tensor2D, ids()) },
  {
    name: 'crossEntropy with rows that do not count',
    inputs: () => [normal('x', [6, 7], 3)],
    op: (x) =>
      crossEntropy(x as tf.Tensor2D, tf.tensor1d([3, 0, ignoredLabel, 5, ignoredLabel, ignoredLabel], 'int32'), 9),
  },
  { name: 'crossEntropy', inputs: () => [normal('x', [6, 7], 3)], op: (x) => crossEntropy(x as tf.Tensor2D, ids(), 9) },
  {
    name: 'attention',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, bias(), 0, 0),
  },
  {
    name: 'attention without padding',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, undefined, 0, 0),
  },
  {
    name: 'attention with padding and dropout',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, bias(), 0.2, 5),
  },
  {
    name: 'attention of rows of 16 bytes, with dropout',
    inputs: () => [normal('qkv', [10, 48])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 5, heads: 2 }, undefined, 0.2, 5),
  },
  {
    name: 'attention with dropout',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, undefined, 0.2, 5),
  },
];

/** Values and input gradients of Σ op(x)·weights, as plain arrays. */
function valueAndGradients({ inputs, op }: (typeof cases)[number]): number[][] {
  return tf.tidy(() => {
    const xs = inputs();
    const y = op(...xs);
    const weights = normal('dy', y.shape);
    const gradients = tf.grads((...x: tf.Tensor[]) => op(...x))(xs, weights);
    return [y, ...gradients].map((tensor) => [...tensor.dataSync()]);
  });
}

function expectClose(actual: number[][], expected: number[][], tolerance: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, row] of actual.entries()) {
    expect(row.length, `output ${i}`).toBe(expected[i]!.length);
    const worst = Math.max(
      ...row.map((value, j) => Math.abs(value - (expected[i]?.[j] ?? Number.NaN)) / (1 + Math.abs(value))),
    );
    expect(worst, `output ${i}`).toBeLessThan(tolerance);
  }
}

describe('fused ops agree with finite differences on cpu', () => {
  beforeAll(() => openBackend('cpu'));
  test.each(cases)('$name', ({ inputs, op }) => {
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

/**
 * Every case on a second name for the same JavaScript backend, without our kernels, so that ops take their composite
 * path.
 */
async function compositeValues(): Promise<ReadonlyMap<string, number[][]>> {
  await openBackend('cpu');
  const { MathBackendCPU } = await import('@tensorflow/tfjs-backend-cpu/dist/base.js');
  if (tf.findBackend('plain') === null) {
    tf.registerBackend('plain', () => new MathBackendCPU());
    tf.copyRegisteredKernels('cpu', 'plain');
    for (const { kernelName } of tf.getKernelsForBackend('plain'))
      if (kernelName.startsWith('Rp')) tf.unregisterKernel(kernelName, 'plain');
  }
  await tf.setBackend('plain');
  return new Map(cases.map((each) => [each.name, valueAndGradients(each)]));
}

absentBackends('fused ops');

describe.each(availableBackends)('fused ops on $name equal the composites of plain tfjs ops', (backend) => {
  let composites: ReadonlyMap<string, number[][]>;
  beforeAll(async () => {
    composites = await compositeValues();
    await openBackend(backend);
    before = tf.memory().numTensors;
  });
  let before = 0;
  afterAll(() => expect(tf.memory().numTensors).toBe(before));

  test.each(cases)('$name', (each) => expectClose(valueAndGradients(each), composites.get(each.name) ?? [], 1e-4));

  test('matMul with every pair of flags, one matrix and a batch', () => {
    tf.tidy(() => {
      for (const batch of [[], [3]])
        for (const flipA of [false, true])
          for (const flipB of [false, true]) {
            const a = normal('a', [...batch, ...(flipA ? [5, 4] : [4, 5])]);
            const b = normal('b', [...batch, ...(flipB ? [6, 5] : [5, 6])]);
            const at = (tensor: tf.Tensor, n: number, row: number, column: number, flip: boolean) => {
              const [rows, columns] = tensor.shape.slice(-2) as [number, number];
              return tensor.dataSync()[
                n * rows * columns + (flip ? column * columns + row : row * columns + column)
              ] as number;
            };
            const product = tf.matMul(a, b, flipA, flipB).dataSync();
            for (let n = 0; n < (batch[0] ?? 1); n++)
              for (let i = 0; i < 4; i++)
                for (let j = 0; j < 6; j++) {
                  let expected = 0;
                  for (let k = 0; k < 5; k++) expected += at(a, n, i, k, flipA) * at(b, n, k, j, flipB);
                  expect(product[n * 24 + i * 6 + j]).toBeCloseTo(expected, 4);
                }
          }
    });
  });

  test('globalNorm, of many tensors and of one that is not finite', () => {
    tf.tidy(() => {
      const tensors = [normal('a', [6, 8]), normal('b', [5]), normal('c', [2, 3, 4])];
      const norm = (of: tf.Tensor[]) => globalNorm(of).dataSync()[0];
      const expected = Math.hypot(...tensors.flatMap((each) => [...each.dataSync()]));
      expect(norm(tensors)).toBeCloseTo(expected, 4);
      expect(norm([...tensors, tf.tensor1d([1, Number.NaN])])).toBeNaN();
      expect(norm([...tensors, tf.tensor1d([1, -Infinity])])).toBe(Infinity);
    });
  });

  test('AdamW over several parameters at once, clipped, three steps, as PyTorch defines it', () => {
    const options = {
      learning_rate: 0.1,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-6,
      weight_decay: 0.01,
      gradient_scale: 0.5,
    };
    const shapes = [[2, 3], [4], [1]];
    const hosts = shapes
      .map((shape, i) => [...tf.tidy(() => normal(`p${i}`, shape).dataSync())])
      .map((p) => ({ p, m: p.map(() => 0), v: p.map(() => 0) }));
    const items = shapes.map((shape, i) => {
      const [parameter, mean, squares] = tf.tidy(() =>
        [normal(`p${i}`, shape), tf.zeros(shape), tf.zeros(shape)].map((start) => tf.variable(start)),
      ) as [tf.Variable, tf.Variable, tf.Variable];
      return { parameter, mean, squares };
    });
    for (let step = 1; step <= 3; step++) {
      // The last two as slices of one tensor, as gradients of joined weights are.
      const gradients = tf.tidy(() => [
        tf.split(normal(`g-${step}`, [2, 6]), 2, 1)[1]!,
        ...tf.split(normal(`h-${step}`, [5]), [4, 1]),
      ]);
      for (const [i, { p, m, v }] of hosts.entries())
        for (const [j, slope] of gradients[i]!.dataSync()
          .map((value) => value * 0.5)
          .entries()) {
          m[j] = 0.9 * m[j]! + 0.1 * slope;
          v[j] = 0.98 * v[j]! + 0.02 * slope * slope;
          p[j] =
            p[j]! * (1 - 0.1 * 0.01) -
            ((0.1 / (1 - 0.9 ** step)) * m[j]!) / (Math.sqrt(v[j]!) / Math.sqrt(1 - 0.98 ** step) + 1e-6);
        }
      adamW(
        items.map((item, i) => ({ ...item, gradient: gradients[i]! })),
        { ...options, step },
      );
      tf.dispose(gradients);
    }
    for (const [i, { parameter, mean, squares }] of items.entries()) {
      for (const [j, value] of parameter.dataSync().entries()) expect(value).toBeCloseTo(hosts[i]!.p[j]!, 4);
      for (const tensor of [parameter, mean, squares]) tensor.dispose();
    }
  });

  test('AdamW changes a parameter that was multiplied by before, and the next product sees it', () => {
    const options = {
      learning_rate: 0.1,
      beta1: 0.9,
      beta2: 0.98,
      epsilon: 1e-6,
      weight_decay: 0.01,
      step: 1,
      gradient_scale: 1,
    };
    const [parameter, ...moments] = tf.tidy(() =>
      [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.zeros([2, 2]), tf.zeros([2, 2])].map((start) => tf.variable(start)),
    ) as [tf.Variable, tf.Variable, tf.Variable];
    const x = tf.eye(2);
    const gradient = tf.tensor2d([1, -1, 2, 0], [2, 2]);
    const before = tf.matMul(x, parameter as unknown as tf.Tensor2D);
    adamW([{ parameter, mean: moments[0], squares: moments[1], gradient }], options);
    const after = tf.matMul(x, parameter as unknown as tf.Tensor2D);
    const expected = [1, 2, 3, 4].map(
      (value, i) => value * (1 - 0.1 * 0.01) - 0.1 * Math.sign([1, -1, 2, 0][i] as number),
    );
    expect([...before.dataSync()]).toEqual([1, 2, 3, 4]);
    for (const [i, value] of [...after.dataSync()].entries()) expect(value).toBeCloseTo(expected[i] as number, 4);
    for (const tensor of [parameter, ...moments, x, gradient, before, after]) tensor.dispose();
  });
});

if (fakeCudaMissing !== undefined) absent('kernels for GPUs', fakeCudaMissing);

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
  let composites: ReadonlyMap<string, number[][]>;
  const addon = torch?.native?.addon ?? '';
  beforeAll(async () => {
    composites = await compositeValues();
    await openBackend(torch ?? 'torch');
    registerTorch(addon, options);
  });
  afterAll(() => registerTorch(addon));

  test.each(cases)('$name', (each) => {
    const actual = valueAndGradients(each);
    expectClose(actual, composites.get(each.name) ?? [], tolerance);
    expect(valueAndGradients(each)).toEqual(actual);
  });
});
