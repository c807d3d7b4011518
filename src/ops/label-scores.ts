import {
  argMax,
  cast,
  gatherND,
  logSumExp,
  maximum,
  range,
  scalar,
  stack,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

/**
 * What a measurement needs of `logits [n, classes]`, as `[n, 3]`: each row's log Σ exp, its score of the label, and its
 * best class, of equals the first. Nothing as wide as the vocabulary has to leave the backend. The label of an ignored
 * row is taken for 0. Has no gradient.
 */
export function labelScores(logits: Tensor2D, labels: Tensor1D): Tensor2D {
  if (hasKernel('RpLabelScores')) return runFused('RpLabelScores', { logits, labels })[0] as Tensor2D;
  const cells = stack([range(0, logits.shape[0], 1, 'int32'), maximum(labels, scalar(0, 'int32'))], 1);
  return stack([logSumExp(logits, 1), gatherND(logits, cells), cast(argMax(logits, 1), 'float32')], 1) as Tensor2D;
}
