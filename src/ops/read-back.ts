import { dispose, tidy, type Tensor } from '@tensorflow/tfjs-core';

/**
 * The values of tensors that are computed in a `tidy` and read after it. What a `tidy` returns it searches for tensors,
 * element by element: a typed array of logits would take minutes, and millions of numbers more than its set can hold.
 * @example
 * const [guesses] = readBack(() => [argMax(logits(), 1)]);
 */
export function readBack<const T extends readonly Tensor[]>(
  compute: () => T,
): { readonly [K in keyof T]: Float32Array | Int32Array } {
  const tensors = tidy(() => [...compute()]);
  const values = tensors.map((tensor) => tensor.dataSync() as Float32Array | Int32Array);
  dispose(tensors);
  return values as { readonly [K in keyof T]: Float32Array | Int32Array };
}
