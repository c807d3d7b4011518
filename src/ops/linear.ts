import { add, customGrad, matMul, type GradSaveFunc, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { columnSum } from './column-sum.ts';

/** `x [n, in] · weight [in, out] + bias [out]`. */
export function linear(x: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  const op = customGrad((...args: unknown[]) => {
    const [a, w, b, save] = args as [Tensor2D, Tensor2D, Tensor1D, GradSaveFunc];
    save([a, w]);
    return {
      value: add(matMul(a, w), b),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [input, kernel] = saved as [Tensor2D, Tensor2D];
        return [matMul(dy as Tensor2D, kernel, false, true), matMul(input, dy as Tensor2D, true, false), columnSum(dy)];
      },
    };
  });
  return op(x, weight, bias) as Tensor2D;
}
