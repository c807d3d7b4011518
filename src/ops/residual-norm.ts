import { add, customGrad, type GradSaveFunc, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { columnSum } from './column-sum.ts';
import { drop } from './dropout.ts';
import { hasKernel, runFused } from './kernel.ts';
import { layerNormBackward, layerNormForward } from './layer-norm.ts';

/**
 * How either half of a post-layer-norm transformer layer ends, layerNorm(residual + dropout(x + bias)), where
 * `x [n, width]` is the product of its last dense layer, `bias [width]` that layer's, and `weight` and `shift` are the
 * norm's.
 */
export function residualNorm(
  x: Tensor2D,
  bias: Tensor1D,
  residual: Tensor2D,
  weight: Tensor1D,
  shift: Tensor1D,
  options: ResidualNormOptions,
): Tensor2D {
  const run = hasKernel('RpResidualNorm') ? fused : composite;
  return run(x, bias, residual, weight, shift, options);
}

interface ResidualNormOptions {
  readonly epsilon: number;
  /** Of dropout; 0 for none. */
  readonly rate: number;
  readonly key: number;
}

function fused(
  x: Tensor2D,
  bias: Tensor1D,
  residual: Tensor2D,
  weight: Tensor1D,
  shift: Tensor1D,
  options: ResidualNormOptions,
): Tensor2D {
  const attrs = { ...options };
  const op = customGrad((...args: unknown[]) => {
    const [input, b, rest, gain, beta, save] = args as [Tensor, Tensor, Tensor, Tensor, Tensor, GradSaveFunc];
    const [value, sum, mean, rstd] = runFused(
      'RpResidualNorm',
      { x: input, bias: b, residual: rest, weight: gain, shift: beta },
      attrs,
    ) as [Tensor, Tensor, Tensor, Tensor];
    save([sum, mean, rstd, gain]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [total, mu, scale, g] = saved as [Tensor, Tensor, Tensor, Tensor];
        return runFused('RpResidualNormGrad', { dy, sum: total, mean: mu, rstd: scale, weight: g }, attrs);
      },
    };
  });
  return op(x, bias, residual, weight, shift) as Tensor2D;
}

function composite(
  x: Tensor2D,
  bias: Tensor1D,
  residual: Tensor2D,
  weight: Tensor1D,
  shift: Tensor1D,
  { epsilon, rate, key }: ResidualNormOptions,
): Tensor2D {
  const op = customGrad((...args: unknown[]) => {
    const [input, b, rest, gain, beta, save] = args as [Tensor, Tensor, Tensor, Tensor, Tensor, GradSaveFunc];
    const sum = add(drop(add(input, b), rate, key), rest);
    const [value, mean, rstd] = layerNormForward(sum, gain, beta, epsilon);
    save([sum, gain, mean, rstd]);
    return {
      value,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [dSum, dWeight, dShift] = layerNormBackward(dy, saved as [Tensor, Tensor, Tensor, Tensor]) as [
          Tensor,
          Tensor,
          Tensor,
        ];
        const dx = drop(dSum, rate, key);
        return [dx, columnSum(dx), dSum, dWeight, dShift];
      },
    };
  });
  return op(x, bias, residual, weight, shift) as Tensor2D;
}
