import * as tf from '@tensorflow/tfjs-core';
import { openBackend } from '../../src/backends/select.ts';
import { normal, type OpCase } from './ops-cases.ts';

/** Value and input gradients of Σ op(x)·weights, computed by the current backend. */
export function valueAndGradients({ inputs, op }: OpCase): Float32Array[] {
  return tidied(() => {
    const xs = inputs();
    const y = op(...xs);
    const weights = normal('dy', y.shape);
    const gradients = tf.grads((...x: tf.Tensor[]) => op(...x))(xs, weights);
    return [y, ...gradients].map((tensor) => Float32Array.from(tensor.dataSync()));
  });
}

/**
 * Every case on a second name for tfjs's JavaScript backend, without our kernels, so that ops take their composite
 * path.
 */
export async function compositeValues(cases: readonly OpCase[]): Promise<ReadonlyMap<string, Float32Array[]>> {
  await openBackend('cpu');
  const { MathBackendCPU } = await import('@tensorflow/tfjs-backend-cpu');
  if (tf.findBackend('plain') === null) {
    tf.registerBackend('plain', () => new MathBackendCPU());
    tf.copyRegisteredKernels('cpu', 'plain');
    for (const { kernelName } of tf.getKernelsForBackend('plain'))
      if (kernelName.startsWith('Rp')) tf.unregisterKernel(kernelName, 'plain');
  }
  await tf.setBackend('plain');
  return new Map(cases.map((each) => [each.name, valueAndGradients(each)]));
}

/**
 * The largest difference of two lists of outputs, each element's measured by its own size and that of its output's
 * elements (their root mean square). Infinity where they have not the same shape, or where only one is a number.
 */
export function farthest(actual: readonly ArrayLike<number>[], expected: readonly ArrayLike<number>[]): number {
  if (actual.length !== expected.length) return Infinity;
  return Math.max(...actual.map((output, i) => distance(output, expected[i] as ArrayLike<number>)));
}

function distance(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let squares = 0;
  for (let i = 0; i < expected.length; i++) if (Number.isFinite(expected[i])) squares += (expected[i] as number) ** 2;
  const size = Math.sqrt(squares / Math.max(1, expected.length));
  let most = 0;
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = [actual[i] as number, expected[i] as number];
    if (Object.is(a, b) || a === b) continue;
    const away = Math.abs(a - b) / (size + Math.abs(b));
    most = Math.max(most, Number.isFinite(away) ? away : Infinity);
  }
  return most;
}

/** `tidy`, which would look for tensors in each element of an array. */
export function tidied<T>(run: () => T): T {
  const results: T[] = [];
  tf.tidy(() => {
    results.push(run());
  });
  return results[0] as T;
}
