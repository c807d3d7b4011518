import { add, customGrad, matMul, mul, reshape, softmax, sub, sum, tidy, transpose, type GradSaveFunc, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from '@tensorflow/tfjs-core';
import { drop } from './dropout.ts';
import { hasKernel, runFused } from './kernel.ts';

export interface AttentionShape {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
}

/**
 * Multi-head self-attention, softmax(q·kᵀ/√d + bias)·v (Vaswani et al. 2017), with dropout on the probabilities.
 * `query`, `key`, `value` and the result are `[batch·length, heads·d]`; `bias` is `[batch, 1, length]`, added to the
 * scores of every head and query (0 to attend, very negative at padding), or undefined when nothing is padding.
 */
export function attention(query: Tensor2D, key: Tensor2D, value: Tensor2D, shape: AttentionShape, bias: Tensor3D | undefined, dropoutRate: number, dropoutKey: number): Tensor2D {
  const run = hasKernel('RpAttention') ? fused : composite;
  return run(query, key, value, shape, bias, dropoutRate, dropoutKey);
}

/** One kernel forward and one backward; what it keeps in between, beside the output, is the kernel's business. */
function fused(query: Tensor2D, key: Tensor2D, value: Tensor2D, shape: AttentionShape, bias: Tensor3D | undefined, rate: number, dropoutKey: number): Tensor2D {
  const attrs = { ...shape, rate, key: dropoutKey };
  const op = customGrad((...args: unknown[]) => {
    const [q, k, v, save] = args as [Tensor2D, Tensor2D, Tensor2D, GradSaveFunc];
    const [out, statistics] = runFused('RpAttention', { query: q, key: k, value: v, ...(bias === undefined ? {} : { bias }) }, attrs) as [Tensor, Tensor];
    save([q, k, v, out, statistics, ...(bias === undefined ? [] : [bias])]);
    return {
      value: out,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [sq, sk, sv, output, kept, mask] = saved as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor?];
        return runFused('RpAttentionGrad', { dy, query: sq, key: sk, value: sv, output, statistics: kept, ...(mask === undefined ? {} : { bias: mask }) }, attrs);
      },
    };
  });
  return op(query, key, value) as Tensor2D;
}

function composite(query: Tensor2D, key: Tensor2D, value: Tensor2D, shape: AttentionShape, bias: Tensor3D | undefined, dropoutRate: number, dropoutKey: number): Tensor2D {
  const scale = 1 / Math.sqrt(query.shape[1] / shape.heads);
  const op = customGrad((...args: unknown[]) => {
    const [q, k, v, save] = args as [Tensor2D, Tensor2D, Tensor2D, GradSaveFunc];
    const [qh, kh, vh] = [splitHeads(q, shape), splitHeads(k, shape), splitHeads(v, shape)];
    const scores = mul(matMul(qh, kh, false, true), scale);
    const probabilities = softmax(bias === undefined ? scores : addBias(scores as Tensor3D, bias, shape));
    save([qh, kh, vh, probabilities]);
    return {
      value: joinHeads(matMul(drop(probabilities, dropoutRate, dropoutKey) as Tensor3D, vh), shape),
      gradFunc: (dy: Tensor, saved: Tensor[]) => tidy(() => {
        const [sq, sk, sv, p] = saved as [Tensor3D, Tensor3D, Tensor3D, Tensor3D];
        const dOut = splitHeads(dy as Tensor2D, shape);
        const dValue: Tensor3D = matMul(drop(p, dropoutRate, dropoutKey) as Tensor3D, dOut, true, false);
        const dProbabilities = drop(matMul(dOut, sv, false, true), dropoutRate, dropoutKey);
        const dScores = softmaxGrad(dProbabilities, p, scale) as Tensor3D;
        const dQuery: Tensor3D = matMul(dScores, sk);
        const dKey: Tensor3D = matMul(dScores, sq, true, false);
        return [joinHeads(dQuery, shape), joinHeads(dKey, shape), joinHeads(dValue, shape)];
      }),
    };
  });
  return op(query, key, value) as Tensor2D;
}

/** `[batch·length, heads·d]` → `[batch·heads, length, d]`. */
function splitHeads(x: Tensor2D, { batch, length, heads }: AttentionShape): Tensor3D {
  const d = x.shape[1] / heads;
  return reshape(transpose(reshape(x, [batch, length, heads, d]) as Tensor4D, [0, 2, 1, 3]), [batch * heads, length, d]);
}

function joinHeads(x: Tensor3D, { batch, length, heads }: AttentionShape): Tensor2D {
  const d = x.shape[2];
  return reshape(transpose(reshape(x, [batch, heads, length, d]) as Tensor4D, [0, 2, 1, 3]), [batch * length, heads * d]);
}

function addBias(scores: Tensor3D, bias: Tensor3D, { batch, length, heads }: AttentionShape): Tensor3D {
  const byHead = reshape(scores, [batch, heads * length, length]);
  return reshape(add(byHead, bias), [batch * heads, length, length]);
}

/** Gradient of the scores before scaling. */
function softmaxGrad(dy: Tensor, y: Tensor, scale: number): Tensor {
  if (hasKernel('RpSoftmaxGrad')) return runFused('RpSoftmaxGrad', { dy, y }, { scale })[0] as Tensor;
  return mul(mul(sub(dy, sum(mul(dy, y), -1, true)), y), scale);
}
