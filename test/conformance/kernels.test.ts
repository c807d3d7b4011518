import * as tf from '@tensorflow/tfjs-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { torch, torchMissing } from '../rig/backends.ts';
import { answer, differenceOf } from './kernels-compare.ts';
import { kernelFamilies, normal, run } from './kernels-rows.ts';

/** 4000 draws from each of two distributions. */
function draws(seed: number): tf.Tensor {
  const probabilities = tf.tensor2d([
    [0.1, 0.9],
    [0.5, 0.5],
  ]);
  return tf.multinomial(tf.log(probabilities) as tf.Tensor2D, 4000, seed);
}

describe.skipIf(torchMissing !== undefined)(
  `tfjs kernels on torch answer as on cpu${torchMissing === undefined ? '' : ` (skipped: ${torchMissing})`}`,
  () => {
    beforeAll(() => openBackend(torch ?? 'torch'));
    afterAll(async () => {
      await openBackend('cpu');
    });

    describe.each(Object.entries(kernelFamilies))('%s', (_, rows) => {
      test.each(rows)('%s', async (_name, call) => {
        await openBackend('cpu');
        const expected = await answer(call);
        await openBackend(torch ?? 'torch');
        const before = tf.memory().numTensors;
        const actual = await answer(call);
        expect(tf.memory().numTensors).toBe(before);
        expect(differenceOf(actual, expected, 1e-5)).toBeUndefined();
      });
    });

    test('multinomial draws by probability, the same for the same seed', async () => {
      await openBackend(torch ?? 'torch');
      tf.tidy(() => {
        const draw = (seed: number) => [...draws(seed).dataSync()];
        expect(draw(0.3)).toEqual(draw(0.3));
        expect(draw(0.3)).not.toEqual(draw(0.4));
        expect(
          draw(0.3)
            .slice(0, 4000)
            .reduce((a, b) => a + b) / 4000,
        ).toBeCloseTo(0.9, 1);
      });
    });

    test('every kernel of tfjs that torch has is compared', async () => {
      await openBackend(torch ?? 'torch');
      const compared = new Set<string>();
      for (const calls of [
        () => draws(1),
        ...Object.values(kernelFamilies).flatMap((rows) => rows.map(([, call]) => call)),
      ])
        for (const kernel of (await answer(calls)).kernels) compared.add(kernel);
      const names = tf
        .getKernelsForBackend('torch')
        .map(({ kernelName }) => kernelName)
        .filter((name) => !name.startsWith('Rp'));
      expect(names.filter((name) => !compared.has(name))).toEqual([]);
      expect(names.length).toBeGreaterThan(110);
    });

    test('an error names the kernel, the operator and the shapes', () => {
      tf.tidy(() => {
        expect(() =>
          run('BatchMatMul', { a: normal('a', 2, 3), b: normal('b', 4, 5) }, { transposeA: false, transposeB: false }),
        ).toThrow(/BatchMatMul: aten::matmul\(Float\[2, 3\], Float\[4, 5\]\): .*cannot be multiplied/);
        expect(() =>
          run('GatherV2', { x: normal('a', 2, 3), indices: tf.tensor1d([7], 'int32') }, { axis: 0, batchDims: 0 }),
        ).toThrow(/GatherV2: aten::index_select\(.*Float/);
        expect(() => tf.tensor1d(['text'])).toThrow('no string tensors');
      });
    });
  },
);
