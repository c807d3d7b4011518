import {
  add,
  customGrad,
  matMul,
  type GradSaveFunc,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { columnSum } from './column-sum.ts';
import { hasKernel, runFused } from './kernel.ts';

/** `x [n, in] · weight [in, out] + bias [out]`, or the product alone, for an op that adds the bias on its way. */
export function linear(x: Tensor2D, weight: Tensor2D, bias?: Tensor1D): Tensor2D {
  return affine(x, weight, bias, false);
}

/** `x [n, hidden] · tableᵀ + bias`, with `table [vocab, hidden]` the word embeddings: scores over the vocabulary. */
export function tiedDecoder(x: Tensor2D, table: Tensor2D, bias: Tensor1D): Tensor2D {
  return affine(x, table, bias, true);
}

function affine(x: Tensor2D, weight: Tensor2D, bias: Tensor1D | undefined, transposed: boolean): Tensor2D {
  const op = customGrad((...args: unknown[]) => {
    const [a, w] = args as [Tensor2D, Tensor2D];
    const b = bias === undefined ? undefined : (args[2] as Tensor1D);
    (args.at(-1) as GradSaveFunc)([a, w]);
    return {
      value: forward(a, w, b, transposed),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const gradients = backward(dy as Tensor2D, saved[0] as Tensor2D, saved[1] as Tensor2D, transposed);
        return bias === undefined ? gradients : [...gradients, columnSum(dy)];
      },
    };
  });
  return op(x, weight, ...(bias === undefined ? [] : [bias])) as Tensor2D;
}

function forward(x: Tensor2D, weight: Tensor2D, bias: Tensor1D | undefined, transposed: boolean): Tensor {
  if (hasKernel('RpLinear'))
    return runFused('RpLinear', { x, weight, ...(bias === undefined ? {} : { bias }) }, { transposed })[0] as Tensor;
  const product = matMul(x, weight, false, transposed);
  return bias === undefined ? product : add(product, bias);
}

function backward(dy: Tensor2D, x: Tensor2D, weight: Tensor2D, transposed: boolean): Tensor[] {
  if (hasKernel('RpLinearGrad')) return runFused('RpLinearGrad', { dy, x, weight }, { transposed });
  return [matMul(dy, weight, false, !transposed), transposed ? matMul(dy, x, true, false) : matMul(x, dy, true, false)];
}
