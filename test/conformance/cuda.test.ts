import { grads, tensor2d, tensor3d, tidy, type Tensor2D } from '@tensorflow/tfjs-core';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { aten } from '../../src/backends/torch/aten.ts';
import { registerTorch } from '../../src/backends/torch/index.ts';
import type { TorchOptions } from '../../src/backends/torch/backend.ts';
import { attention } from '../../src/ops/index.ts';
import { losses } from '../../src/setup/tiny-model.ts';
import { torch, torchMissing } from '../rig/backends.ts';
import { fakeCuda, fakeCudaMissing } from '../rig/fake-cuda.ts';
import { withFlashAttention } from '../rig/fake-flash.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { recorded, type Trace } from '../rig/recorded.ts';
import { because } from '../rig/skipped.ts';

const trace: Trace = [];
vi.mock('../../src/backends/torch/bridge.ts', async (original) => {
  const { loadBridge } = await original<typeof import('../../src/backends/torch/bridge.ts')>();
  return { loadBridge: (path: string) => recorded(withFlashAttention(loadBridge(path)), trace) };
});

const missing = torchMissing ?? fakeCudaMissing ?? missingModules('torch');
const check = (traces: readonly Trace[]): unknown =>
  JSON.parse(
    runPython(['test/conformance/cuda_trace.py'], {
      operators: Object.values(aten).map(({ name }) => `aten::${name}`),
      traces,
    }),
  );

const steps = 2;
const backend = { ...torch!, threads: 1 };
beforeEach(() => {
  trace.length = 0;
});
afterAll(() => {
  if (missing === undefined) registerTorch(backend.native!.bridge);
});

test.skipIf(missing !== undefined).each<{
  name: string;
  options: TorchOptions;
  reads: number;
  tolerance?: number;
  run: () => Promise<readonly number[]>;
}>([
  {
    name: 'training in bf16',
    options: { precision: 'bf16', bfloat16: 'native', driver: fakeCuda },
    reads: steps,
    tolerance: 2e-2,
    run: () => losses(backend, steps),
  },
  {
    name: 'training in fp32',
    options: { driver: fakeCuda },
    reads: steps,
    tolerance: 2e-3,
    run: () => losses(backend, steps),
  },
  {
    name: 'training in bf16 where our kernels do not compile',
    options: { precision: 'bf16', bfloat16: 'native', portable: true },
    reads: steps,
    tolerance: 2e-2,
    run: () => losses(backend, steps),
  },
  {
    name: 'attention with padding',
    options: { precision: 'bf16', bfloat16: 'native', driver: fakeCuda },
    reads: 0,
    run: padded,
  },
])(
  'on a GPU PyTorch would take every call of $name, with the results that the CPU ' + `has${because(missing)}`,
  async ({ options, reads, tolerance = 0, run }) => {
    const reference = await losses('wasm', reads);
    await openBackend(backend);
    registerTorch(backend.native!.bridge, options);
    trace.length = 0;
    const found = await run();
    expect(found).toHaveLength(reads);
    for (const [i, value] of found.entries())
      expect(Math.abs(value / (reference[i] as number) - 1)).toBeLessThan(tolerance);
    // Whatever waits for the device makes it stand still: once a step, at its end.
    expect(trace.filter(([what]) => what === 'read')).toHaveLength(reads);
    check([trace.filter(([what]) => what !== 'read')]);
  },
  300_000,
);

function padded(): Promise<number[]> {
  tidy(() => {
    const [x, dy] = [24, 8].map((width) => tensor2d(new Float32Array(6 * width).fill(0.1), [6, width])) as [
      Tensor2D,
      Tensor2D,
    ];
    const bias = tensor3d([0, 0, -1e9, 0, 0, 0], [2, 1, 3]);
    grads((qkv) => attention(qkv as Tensor2D, { batch: 2, length: 3, heads: 1 }, bias, 0.1, 7))([x], dy);
  });
  return Promise.resolve([]);
}

test.skipIf(missing !== undefined)(
  `every operator that the backend calls has a CUDA kernel${because(missing)}`,
  (context) => {
    const without = check([]);
    if (without === null) context.skip('this PyTorch has no CUDA');
    expect(without).toEqual([]);
  },
);
