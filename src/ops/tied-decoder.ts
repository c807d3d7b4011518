import { add, customGrad, matMul, type GradSaveFunc, type Tensor, type Tensor1D, type Tensor2D } from '@tensorflow/tfjs-core';
import { columnSum } from './column-sum.ts';

/** `x [n, hidden] · tableᵀ + bias`, with `table [vocab, hidden]` the word embeddings: scores over the vocabulary. */
export function tiedDecoder(x: Tensor2D, table: Tensor2D, bias: Tensor1D): Tensor2D {
  const op = customGrad((...args: unknown[]) => {
    const [input, words, shift, save] = args as [Tensor2D, Tensor2D, Tensor1D, GradSaveFunc];
    save([input, words]);
    return {
      value: add(matMul(input, words, false, true), shift),
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [hidden, decoder] = saved as [Tensor2D, Tensor2D];
        return [matMul(dy as Tensor2D, decoder), matMul(dy as Tensor2D, hidden, true, false), columnSum(dy)];
      },
    };
  });
  return op(x, table, bias) as Tensor2D;
}
