import { memory } from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, expect, test } from 'vitest';
import { registerTorch } from '../../src/backends/torch/index.ts';
import type { TorchOptions } from '../../src/backends/torch/backend.ts';
import { openBackend } from '../../src/backends/select.ts';
import { losses } from '../../src/setup/tiny-model.ts';
import type { BackendChoice } from '../../src/core/backend.ts';
import { absentBackends, availableBackends, torch, torchMissing } from '../rig/backends.ts';
import { because } from '../rig/skipped.ts';

absentBackends('training');

const steps = 10;
// Threads that wait for one another on a busy machine make a step of so small a model slow.
const alone = (backend: BackendChoice): BackendChoice => ({ ...backend, threads: 1 });
let reference: readonly number[];
beforeAll(async () => {
  reference = await losses('wasm', steps);
}, 60_000);

/** The largest part of itself by which a loss differs from that on `wasm`. */
function difference(found: readonly number[]): number {
  expect(found.length).toBe(steps);
  return Math.max(...found.map((value, i) => Math.abs(value / (reference[i] as number) - 1)));
}

// `cpu` would take a minute for what its single ops show already.
test.each(availableBackends.filter(({ name }) => name !== 'cpu'))(
  'ten steps with dropout on $name: the losses of wasm, the same in a second run, and nothing left behind',
  async (backend) => {
    const found = await losses(alone(backend), steps);
    expect(found.at(-1)).toBeLessThan((found[0] as number) * 0.6);
    expect(difference(found)).toBeLessThan(2e-3);
    const before = memory().numTensors;
    if (backend.name !== 'tensorflow') expect(await losses(alone(backend), steps)).toEqual(found);
    expect(memory().numTensors).toBe(before);
  },
  120_000,
);

afterEach(() => {
  if (torch?.native !== undefined) registerTorch(torch.native.bridge);
});

// What other processors do, and GPUs where our kernels for them do not compile; those are in cuda.test.ts.
test.skipIf(torch === undefined).each<{ name: string; options: TorchOptions; tolerance: number }>([
  { name: 'fp32, ATen alone', options: { portable: true }, tolerance: 2e-3 },
  ...(['native', 'widened'] as const).flatMap((bfloat16) =>
    [false, true].map((portable) => ({
      name: `bf16, ${bfloat16} products${portable ? ', ATen alone' : ''}`,
      options: { precision: 'bf16' as const, bfloat16, portable },
      tolerance: 2e-2,
    })),
  ),
])(
  `ten steps with dropout on torch, $name${because(torchMissing)}`,
  async ({ options, tolerance }) => {
    const backend = alone(torch as BackendChoice);
    await openBackend(backend);
    registerTorch(backend.native?.bridge ?? '', options);
    const found = await losses(backend, steps);
    expect(difference(found)).toBeLessThan(tolerance);
    expect(await losses(backend, steps)).toEqual(found);
  },
  120_000,
);
