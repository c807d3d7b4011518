import { add, customGrad, div, erf, exp, mul, square, type GradSaveFunc, type Tensor } from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

/** Exact GELU, x·Φ(x) (Hendrycks and Gimpel 2016), not the tanh approximation: RoBERTa's `hidden_act: gelu`. */
export function gelu<T extends Tensor>(x: T): T {
  const op = customGrad((...args: unknown[]) => {
    const [input, save] = args as [Tensor, GradSaveFunc];
    save([input]);
    return {
      value: hasKernel('RpGelu') ? (runFused('RpGelu', { x: input })[0] as Tensor) : mul(input, cdf(input)),
      gradFunc: (dy: Tensor, saved: Tensor[]) => geluGrad(dy, saved[0] as Tensor),
    };
  });
  return op(x) as T;
}

function geluGrad(dy: Tensor, x: Tensor): Tensor {
  if (hasKernel('RpGeluGrad')) return runFused('RpGeluGrad', { dy, x })[0] as Tensor;
  const density = mul(exp(mul(square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return mul(dy, add(cdf(x), mul(x, density)));
}

function cdf(x: Tensor): Tensor {
  return mul(add(erf(div(x, Math.SQRT2)), 1), 0.5);
}
