import {
  cast,
  customGrad,
  div,
  exp,
  expandDims,
  logSoftmax,
  mul,
  neg,
  notEqual,
  oneHot,
  sub,
  sum,
  type GradSaveFunc,
  type Scalar,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { ignoredLabel } from './ignored-label.ts';
import { hasKernel, runFused } from './kernel.ts';

/**
 * Σ −log softmax(logits)[label] / divisor over the rows of `logits [n, classes]` but those whose label is
 * {@link ignoredLabel}. With the divisor of a whole optimizer step (not of this micro-batch), gradients of
 * micro-batches add up to the gradient of the large batch.
 */
export function crossEntropy(logits: Tensor2D, labels: Tensor1D, divisor: number): Scalar {
  const op = customGrad((...args: unknown[]) => {
    const [scores, save] = args as [Tensor2D, GradSaveFunc];
    const [value, probabilities] = forward(scores, labels, divisor);
    save([probabilities, labels]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => backward(dy, saved[0] as Tensor2D, saved[1] as Tensor1D, divisor),
    };
  });
  return op(logits) as Scalar;
}

function forward(logits: Tensor2D, labels: Tensor1D, divisor: number): [Tensor, Tensor] {
  if (hasKernel('RpCrossEntropy'))
    return runFused('RpCrossEntropy', { logits, labels }, { divisor }) as [Tensor, Tensor];
  const logProbabilities = logSoftmax(logits);
  const picked = sum(mul(logProbabilities, cast(oneHot(labels, logits.shape[1]), 'float32')));
  return [div(neg(picked), divisor), exp(logProbabilities)];
}

function backward(dy: Tensor, probabilities: Tensor2D, labels: Tensor1D, divisor: number): Tensor {
  if (hasKernel('RpCrossEntropyGrad'))
    return runFused('RpCrossEntropyGrad', { dy, probabilities, labels }, { divisor })[0] as Tensor;
  const counted = expandDims(cast(notEqual(labels, ignoredLabel), 'float32'), 1); // [n, 1]
  return mul(
    sub(probabilities, cast(oneHot(labels, probabilities.shape[1]), 'float32')),
    mul(counted, div(dy, divisor)),
  );
}
