import { add, customGrad, matMul, type GradSaveFunc, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { columnSum } from './column-sum.ts';
import { hasKernel, runFused } from './kernel.ts';

/** `x [n, in] · weight [in, out] + bias [out]`. */
export function linear(x: Tensor2D, weight: Tensor2D, bias: Tensor1D): Tensor2D {
  return affine(x, weight, bias, false);
}

/** `x [n, hidden] · tableᵀ + bias`, with `table [vocab, hidden]` the word embeddings: scores over the vocabulary. */
export function tiedDecoder(x: Tensor2D, table: Tensor2D, bias: Tensor1D): Tensor2D {
  return affine(x, table, bias, true);
}

function affine(x: Tensor2D, weight: Tensor2D, bias: Tensor1D, transposed: boolean): Tensor2D {
  const op = customGrad((...args: unknown[]) => {
    const [a, w, b, save] = args as [Tensor2D, Tensor2D, Tensor1D, GradSaveFunc];
    save([a, w]);
    return {
      value: hasKernel('RpLinear') ? (runFused('RpLinear', { x: a, weight: w, bias: b }, { transposed })[0] as Tensor) : add(matMul(a, w, false, transposed), b),
      gradFunc: (dy: Tensor, saved: Tensor[]) => backward(dy as Tensor2D, saved[0] as Tensor2D, saved[1] as Tensor2D, transposed),
    };
  });
  return op(x, weight, bias) as Tensor2D;
}

function backward(dy: Tensor2D, x: Tensor2D, weight: Tensor2D, transposed: boolean): Tensor[] {
  if (hasKernel('RpLinearGrad')) return runFused('RpLinearGrad', { dy, x, weight }, { transposed });
  return [matMul(dy, weight, false, !transposed), transposed ? matMul(dy, x, true, false) : matMul(x, dy, true, false), columnSum(dy)];
}
