import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { registerTorch } from '../../src/backends/torch/index.ts';
import type { TorchOptions } from '../../src/backends/torch/backend.ts';
import { fakeCuda, fakeCudaMissing } from '../rig/fake-cuda.ts';
import { withFlashAttention } from '../rig/fake-flash.ts';
import { availableBackends, missingBackends, torch, torchMissing } from '../rig/backends.ts';
import { registerGradients } from '../../src/ops/index.ts';
import { definitions } from './ops-by-definition.ts';
import { normal, opCases, wideOpCases } from './ops-cases.ts';
import { compositeValues, farthest, valueAndGradients } from './ops-compare.ts';
import { flashDropout } from './ops-flash-dropout.ts';

vi.mock('../../src/backends/torch/addon.ts', async (original) => {
  const { loadAddon } = await original<typeof import('../../src/backends/torch/addon.ts')>();
  return { loadAddon: (path: string) => withFlashAttention(loadAddon(path)) };
});

registerGradients();

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

for (const reason of missingBackends.values()) test.skip(`fused ops: ${reason}`, () => {});

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

  test.each(definitions)('$name', ({ run }) => {
    for (const { what, actual, expected } of run()) expect(farthest(actual, expected), what).toBeLessThan(1e-4);
  });
});

if (fakeCudaMissing !== undefined) test.skip(`kernels for GPUs: ${fakeCudaMissing}`, () => {});

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
])('fused ops on torch: $name', ({ options, tolerance }) => {
  let composites: ReadonlyMap<string, Float32Array[]>;
  let wide: ReadonlyMap<string, Float32Array[]>;
  const onGpu = options.driver !== undefined;
  const addon = torch?.native?.addon ?? '';
  beforeAll(async () => {
    composites = await compositeValues(opCases);
    if (onGpu) wide = await wasmValues();
    await openBackend(torch ?? 'torch');
    registerTorch(addon, options);
  }, 60_000);
  afterAll(() => registerTorch(addon));

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
});
