import {
  cast,
  customGrad,
  gather,
  matMul,
  oneHot,
  type GradSaveFunc,
  type Tensor,
  type Tensor1D,
  type Tensor2D,
} from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

/**
 * Rows of `table [rows, width]` named by `ids [n]` (int32) → `[n, width]`. Also picks positions out of hidden states.
 */
export function embedding(table: Tensor2D, ids: Tensor1D): Tensor2D {
  const rows = table.shape[0];
  const op = customGrad((...args: unknown[]) => {
    const [source, save] = args as [Tensor2D, GradSaveFunc];
    save([ids]);
    return {
      value: hasKernel('RpEmbedding')
        ? (runFused('RpEmbedding', { table: source, ids })[0] as Tensor)
        : gather(source, ids),
      gradFunc: (dy: Tensor, saved: Tensor[]) => embeddingGrad(dy as Tensor2D, saved[0] as Tensor1D, rows),
    };
  });
  return op(table) as Tensor2D;
}

function embeddingGrad(dy: Tensor2D, ids: Tensor1D, rows: number): Tensor {
  if (hasKernel('RpEmbeddingGrad')) return runFused('RpEmbeddingGrad', { dy, ids }, { rows })[0] as Tensor;
  return matMul(cast(oneHot(ids, rows), 'float32') as Tensor2D, dy, true, false);
}
