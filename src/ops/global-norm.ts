import { addN, sqrt, square, sum, tidy, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

/** √Σx² over every element of every tensor, as a number: not finite as soon as one element is not. */
export function globalNorm(tensors: readonly Tensor[]): number {
  if (tensors.length === 0) return 0;
  return tidy(() => {
    const norm = hasKernel('RpGlobalNorm') ? (runFused('RpGlobalNorm', tensors)[0] as Tensor) : sqrt(addN(tensors.map((each) => sum(square(each)))));
    return norm.dataSync()[0] as number;
  });
}
