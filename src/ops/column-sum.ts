import { sum, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

/** Σ over the rows of `[n, width]`: a bias's gradient. */
export function columnSum(x: Tensor): Tensor {
  return hasKernel('RpColumnSum') ? (runFused('RpColumnSum', { x })[0] as Tensor) : sum(x, 0);
}
