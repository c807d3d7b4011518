import { add, customGrad, type GradSaveFunc, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { columnSum } from './column-sum.ts';
import { drop } from './dropout.ts';
import { hasKernel, runFused } from './kernel.ts';
import { layerNormBackward, layerNormForward } from './layer-norm.ts';

/** How either half of a post-layer-norm transformer layer ends: layerNorm(residual + dropout(x + bias)). */
export function residualNorm(parts: ResidualNorm): Tensor2D {
  return hasKernel('RpResidualNorm') ? fused(parts) : composite(parts);
}

interface ResidualNorm {
  /** `[n, width]`, the product of the half's last dense layer. */
  readonly x: Tensor2D;
  /** `[width]`, that layer's. */
  readonly bias: Tensor1D;
  /** `[n, width]`, what the half began with. */
  readonly residual: Tensor2D;
  /** `[width]`, of the norm. */
  readonly weight: Tensor1D;
  /** `[width]`, of the norm. */
  readonly shift: Tensor1D;
  readonly epsilon: number;
  /** Of dropout; 0 for none. */
  readonly rate: number;
  readonly key: number;
}

function fused({ x, bias, residual, weight, shift, ...attrs }: ResidualNorm): Tensor2D {
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

function composite({ x, bias, residual, weight, shift, epsilon, rate, key }: ResidualNorm): Tensor2D {
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
