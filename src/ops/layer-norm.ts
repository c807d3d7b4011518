import {
  add,
  customGrad,
  mean,
  mul,
  reshape,
  rsqrt,
  square,
  sub,
  sum,
  type GradSaveFunc,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

/** Layer normalisation of each row of `x [n, width]` (Ba et al. 2016). */
export function layerNorm(x: Tensor2D, weight: Tensor1D, bias: Tensor1D, epsilon: number): Tensor2D {
  const op = customGrad((...args: unknown[]) => {
    const [input, gain, shift, save] = args as [Tensor2D, Tensor1D, Tensor1D, GradSaveFunc];
    const [value, mu, rstd] = layerNormForward(input, gain, shift, epsilon);
    save([input, gain, mu, rstd]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => layerNormBackward(dy, saved as [Tensor, Tensor, Tensor, Tensor]),
    };
  });
  return op(x, weight, bias) as Tensor2D;
}

/** Normalised values, and each row's mean and 1/deviation for the gradient. */
export function layerNormForward(x: Tensor, weight: Tensor, bias: Tensor, epsilon: number): [Tensor, Tensor, Tensor] {
  if (hasKernel('RpLayerNorm'))
    return runFused('RpLayerNorm', { x, weight, bias }, { epsilon }) as [Tensor, Tensor, Tensor];
  const mu = mean(x, -1, true);
  const centered = sub(x, mu);
  const rstd = rsqrt(add(mean(square(centered), -1, true), epsilon));
  return [add(mul(mul(centered, rstd), weight), bias), reshape(mu, [-1]), reshape(rstd, [-1])];
}

/** Gradients of input, weight and bias. */
export function layerNormBackward(
  dy: Tensor,
  [x, weight, mu, rstd]: readonly [Tensor, Tensor, Tensor, Tensor],
): Tensor[] {
  if (hasKernel('RpLayerNormGrad')) return runFused('RpLayerNormGrad', { dy, x, weight, mean: mu, rstd });
  const scale = reshape(rstd, [-1, 1]);
  const normal = mul(sub(x, reshape(mu, [-1, 1])), scale);
  const weighted = mul(dy, weight);
  const dx = mul(
    sub(sub(weighted, mean(weighted, -1, true)), mul(normal, mean(mul(weighted, normal), -1, true))),
    scale,
  );
  return [dx, sum(mul(dy, normal), 0), sum(dy, 0)];
}
