import {
  add,
  customGrad,
  div,
  erf,
  exp,
  mul,
  square,
  type GradSaveFunc,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { columnSum } from './column-sum.ts';
import { hasKernel, runFused } from './kernel.ts';

/**
 * GELU of `x [n, width] + bias [width]`, the second half of a dense layer: exact, z·Φ(z) (Hendrycks and Gimpel 2016),
 * not the tanh approximation, as RoBERTa's `hidden_act: gelu` is.
 */
export function biasGelu(x: Tensor2D, bias: Tensor1D): Tensor2D {
  const op = customGrad((...args: unknown[]) => {
    const [input, shift, save] = args as [Tensor2D, Tensor1D, GradSaveFunc];
    save([input, shift]);
    return {
      value: forward(input, shift),
      gradFunc: (dy: Tensor, saved: Tensor[]) => backward(dy, saved[0] as Tensor, saved[1] as Tensor),
    };
  });
  return op(x, bias) as Tensor2D;
}

function forward(x: Tensor, bias: Tensor): Tensor {
  if (hasKernel('RpBiasGelu')) return runFused('RpBiasGelu', { x, bias })[0] as Tensor;
  const z = add(x, bias);
  return mul(z, cdf(z));
}

function backward(dy: Tensor, x: Tensor, bias: Tensor): Tensor[] {
  if (hasKernel('RpBiasGeluGrad')) return runFused('RpBiasGeluGrad', { dy, x, bias });
  const z = add(x, bias);
  const density = mul(exp(mul(square(z), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  const dx = mul(dy, add(cdf(z), mul(z, density)));
  return [dx, columnSum(dx)];
}

function cdf(x: Tensor): Tensor {
  return mul(add(erf(div(x, Math.SQRT2)), 1), 0.5);
}
