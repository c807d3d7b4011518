import {
  add,
  concat,
  customGrad,
  matMul,
  mul,
  reshape,
  softmax,
  split,
  sub,
  sum,
  tidy,
  transpose,
  type GradSaveFunc,
  type Tensor,
  type Tensor2D,
  type Tensor3D,
  type Tensor4D,
} from '@tensorflow/tfjs-core';
import { drop } from './dropout.ts';
import { hasKernel, runFused } from './kernel.ts';

export interface AttentionShape {
  readonly batch: number;
  readonly length: number;
  readonly heads: number;
}

/**
 * Multi-head self-attention, softmax(q·kᵀ/√d + bias)·v (Vaswani et al. 2017), with dropout on the probabilities.
 * `projections` is `[batch·length, 3·heads·d]`, each row a token's query, key and value; the result `[batch·length,
 * heads·d]`. `bias` is `[batch, 1, length]`, added to the scores of every head and query (0 to attend, very negative at
 * padding), or undefined when nothing is padding.
 */
export function attention(
  projections: Tensor2D,
  shape: AttentionShape,
  bias: Tensor3D | undefined,
  dropoutRate: number,
  dropoutKey: number,
): Tensor2D {
  const run = hasKernel('RpAttention') ? fused : composite;
  return run(projections, shape, bias, dropoutRate, dropoutKey);
}

/** One kernel forward and one backward; what it keeps in between is the kernel's business. */
function fused(
  projections: Tensor2D,
  shape: AttentionShape,
  bias: Tensor3D | undefined,
  rate: number,
  dropoutKey: number,
): Tensor2D {
  const attrs = { ...shape, rate, key: dropoutKey };
  const mask = bias === undefined ? {} : { bias };
  const op = customGrad((...args: unknown[]) => {
    const [qkv, save] = args as [Tensor2D, GradSaveFunc];
    const [out, ...statistics] = runFused('RpAttention', { projections: qkv, ...mask }, attrs) as [Tensor, ...Tensor[]];
    save([qkv, ...Object.values(mask), ...statistics]);
    return {
      value: out,
      gradFunc: (dy: Tensor, saved: Tensor[]) => {
        const [inputs, ...rest] = saved as [Tensor, ...Tensor[]];
        const padding = bias === undefined ? {} : { bias: rest.shift() as Tensor };
        return runFused(
          'RpAttentionGrad',
          {
            dy,
            projections: inputs,
            ...padding,
            ...Object.fromEntries(rest.map((each, i) => [`statistics${i}`, each])),
          },
          attrs,
        );
      },
    };
  });
  return op(projections) as Tensor2D;
}

function composite(
  projections: Tensor2D,
  shape: AttentionShape,
  bias: Tensor3D | undefined,
  dropoutRate: number,
  dropoutKey: number,
): Tensor2D {
  const scale = 1 / Math.sqrt(projections.shape[1] / 3 / shape.heads);
  const op = customGrad((...args: unknown[]) => {
    const [qkv, save] = args as [Tensor2D, GradSaveFunc];
    const [qh, kh, vh] = split(qkv, 3, 1).map((x) => splitHeads(x as Tensor2D, shape)) as [
      Tensor3D,
      Tensor3D,
      Tensor3D,
    ];
    const scores = mul(matMul(qh, kh, false, true), scale);
    const probabilities = softmax(bias === undefined ? scores : addBias(scores as Tensor3D, bias, shape));
    save([qh, kh, vh, probabilities]);
    return {
      value: joinHeads(matMul(drop(probabilities, dropoutRate, dropoutKey) as Tensor3D, vh), shape),
      gradFunc: (dy: Tensor, saved: Tensor[]) =>
        tidy(() => {
          const [sq, sk, sv, p] = saved as [Tensor3D, Tensor3D, Tensor3D, Tensor3D];
          const dOut = splitHeads(dy as Tensor2D, shape);
          const dValue: Tensor3D = matMul(drop(p, dropoutRate, dropoutKey) as Tensor3D, dOut, true, false);
          const dProbabilities = drop(matMul(dOut, sv, false, true), dropoutRate, dropoutKey);
          const dScores = softmaxGrad(dProbabilities, p, scale) as Tensor3D;
          const dQuery: Tensor3D = matMul(dScores, sk);
          const dKey: Tensor3D = matMul(dScores, sq, true, false);
          return concat(
            [dQuery, dKey, dValue].map((gradient) => joinHeads(gradient, shape)),
            1,
          );
        }),
    };
  });
  return op(projections) as Tensor2D;
}

/** `[batch·length, heads·d]` → `[batch·heads, length, d]`. */
function splitHeads(x: Tensor2D, { batch, length, heads }: AttentionShape): Tensor3D {
  const d = x.shape[1] / heads;
  return reshape(transpose(reshape(x, [batch, length, heads, d]) as Tensor4D, [0, 2, 1, 3]), [
    batch * heads,
    length,
    d,
  ]);
}

function joinHeads(x: Tensor3D, { batch, length, heads }: AttentionShape): Tensor2D {
  const d = x.shape[2];
  return reshape(transpose(reshape(x, [batch, heads, length, d]) as Tensor4D, [0, 2, 1, 3]), [
    batch * length,
    heads * d,
  ]);
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
