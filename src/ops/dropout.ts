import { customGrad, mul, tensor, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';
import { draw32 } from './random.ts';

/**
 * Zero each element with probability `rate` and scale the rest by 1/(1-rate). Which ones is a function of `key` and the
 * element's index, so the gradient draws the same ones again instead of keeping a mask.
 */
export function dropout<T extends Tensor>(x: T, rate: number, key: number): T {
  if (rate === 0) return x;
  const op = customGrad((...args: unknown[]) => ({
    value: drop(args[0] as Tensor, rate, key),
    gradFunc: (dy: Tensor) => drop(dy, rate, key),
  }));
  return op(x) as T;
}

/** The same without a gradient of its own, for use inside other ops. */
export function drop(x: Tensor, rate: number, key: number): Tensor {
  if (rate === 0) return x;
  if (hasKernel('RpDropout')) return runFused('RpDropout', { x }, { rate, key })[0] as Tensor;
  const mask = new Float32Array(x.size);
  for (let i = 0; i < mask.length; i++)
    mask[i] = draw32(key, i) >>> 1 < Math.round(rate * 0x80000000) ? 0 : 1 / (1 - rate);
  return mul(x, tensor(mask, x.shape));
}
