import { addN, sqrt, square, sum, tidy, type Scalar, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

/**
 * √Σx² over every element of every tensor, of which there is at least one: not finite as soon as one element is not.
 */
export function globalNorm(tensors: readonly Tensor[]): Scalar {
  if (hasKernel('RpGlobalNorm')) return runFused('RpGlobalNorm', tensors)[0] as Scalar;
  return tidy(() => sqrt(addN(tensors.map((each) => sum(square(each))))));
}
