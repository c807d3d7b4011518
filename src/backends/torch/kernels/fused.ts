import { ignoredLabel } from '../../../ops/ignored-label.ts';
import type { Handle } from '../bridge.ts';
import { aten, scalar } from '../aten.ts';
import type { KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';

interface AdamWAttrs {
  learning_rate: number;
  beta1: number;
  beta2: number;
  epsilon: number;
  weight_decay: number;
  step: number;
  gradient_scale: number;
}

/** Kernels of `src/ops`: one pass over memory where the composites make several. */
export const fusedKernels = new FamilyBuilder()
  .add<{ transposed: boolean }>('RpLinear', (k) => {
    const { more, columns } = paddedColumns(k);
    const weight = k.weight('weight', more);
    const factors = [k.operand('x'), k.attrs.transposed ? k.call(aten.transpose, weight, 0, 1) : weight] as const;
    const product = k.has('bias')
      ? k.call(aten.addmm, columns(k.as('bias', k.productType)), ...factors)
      : k.call(aten.mm, ...factors);
    return k.activation(more === 0 ? product : k.call(aten.slice, product, 1, 0, k.shape('weight')[0] as number, 1));
  })
  .add<{ transposed: boolean }>('RpLinearGrad', (k) => {
    const { transposed } = k.attrs;
    const { more, columns } = paddedColumns(k);
    const [dy, x, weight] = [columns(k.operand('dy')), k.operand('x'), k.weight('weight', more)];
    const rows = (dWeight: Handle) =>
      more === 0 ? dWeight : k.call(aten.slice, dWeight, 0, 0, k.shape('weight')[0] as number, 1);
    const flip = (h: Handle) => k.call(aten.transpose, h, 0, 1);
    return [
      k.activation(k.call(aten.mm, dy, transposed ? weight : flip(weight))),
      float32(k, transposed ? rows(k.call(aten.mm, flip(dy), x)) : k.call(aten.mm, flip(x), dy)),
    ];
  })
  .add<{ epsilon: number }>('RpLayerNorm', (k) => {
    const [y, mean, rstd] = k.call(
      aten.layer_norm,
      k.as('x', scalar.float32),
      k.shape('weight'),
      k.in('weight'),
      k.in('bias'),
      k.attrs.epsilon,
    );
    return [k.heldType === scalar.float32 ? y : k.call(aten.to, y, k.heldType), mean, rstd];
  })
  .add('RpLayerNormGrad', (k) =>
    k.call(
      aten.layer_norm_backward,
      k.as('dy', scalar.float32),
      k.as('x', scalar.float32),
      k.shape('weight'),
      k.in('mean'),
      k.in('rstd'),
      k.in('weight'),
      k.in('weight'),
      [true, true, true],
    ),
  )
  .add('RpEmbedding', (k) => k.call(aten.index_select, k.in('table'), 0, k.in('ids')))
  .add<{ rows: number }>('RpEmbeddingGrad', (k) =>
    k.call(aten.embedding_backward, k.in('dy'), k.in('ids'), k.attrs.rows, -1, false),
  )
  .add<{ divisor: number }>('RpCrossEntropy', (k) => {
    const logProbabilities = k.call(aten.log_softmax, k.as('logits', scalar.float32), -1, false);
    const [total] = k.call(
      aten.nll_loss,
      logProbabilities,
      k.as('labels', scalar.int64),
      null,
      reduceBySum,
      ignoredLabel,
    );
    return [k.call(aten.mul_scalar, total, 1 / k.attrs.divisor), k.call(aten.exp_, logProbabilities)];
  })
  .add<{ divisor: number }>('RpCrossEntropyGrad', (k) => {
    const [rows = 0] = k.shape('labels');
    const labels = k.call(aten.view, k.as('labels', scalar.int64), [rows, 1]);
    // Ignored rows have a scale of 0; their labels only have to name some class.
    const scale = k.call(
      aten.mul,
      k.call(aten.to, k.call(aten.ge_scalar, labels, 0), scalar.float32),
      k.call(aten.mul_scalar, k.as('dy', scalar.float32), 1 / k.attrs.divisor),
    );
    const gradient = k.call(aten.mul, k.in('probabilities'), scale);
    k.call(
      aten.scatter_add_,
      gradient,
      1,
      k.call(aten.clamp, labels, 0, (k.shape('probabilities')[1] as number) - 1),
      k.call(aten.neg, scale),
    );
    return gradient;
  })
  .add('RpLabelScores', (k) => {
    const logits = k.as('logits', scalar.float32);
    const [rows = 0, classes = 0] = k.shape('logits');
    const labels = k.call(aten.clamp, k.as('labels', scalar.int64), 0, classes - 1);
    return k.call(
      aten.stack,
      [
        k.call(aten.logsumexp, logits, [1], false),
        k.call(aten.view, k.call(aten.gather, logits, 1, k.call(aten.view, labels, [rows, 1])), [rows]),
        k.call(aten.to, k.call(aten.argmax, logits, 1), scalar.float32),
      ],
      1,
    );
  })
  .add<{ scale: number }>('RpSoftmaxGrad', (k) =>
    k.call(aten.mul_scalar_, k.call(aten.softmax_backward, k.in('dy'), k.in('y'), -1, k.type('y')), k.attrs.scale),
  )
  .add('RpColumnSum', (k) => k.call(aten.sum, k.in('x'), [0], false, scalar.float32))
  .add('RpGlobalNorm', (k) =>
    k.call(aten.vector_norm, k.call(aten.stack, k.call(aten.foreach_norm, k.list(), 2), 0), 2),
  )
  .add<AdamWAttrs>('RpAdamW', (k) => adamW(k, null))
  .add<AdamWAttrs>('RpAdamWIfFinite', (k) => {
    const outcome = k.list().at(-1) as Handle;
    const isFinite = k.call(aten.all, k.call(aten.isfinite, outcome), [0], false);
    return adamW(k, k.call(aten.to, k.call(aten.logical_not, isFinite), scalar.float32));
  }).kernels;

/** @param stop 1 to leave everything as it is, 0 or null to update */
function adamW(k: KernelCall<AdamWAttrs>, stop: Handle | null): Handle[] {
  const { learning_rate, beta1, beta2, epsilon, weight_decay, step, gradient_scale } = k.attrs;
  const tensors = k.list();
  const count = Math.floor(tensors.length / 4);
  const [parameters, means, squares, given] = [0, 1, 2, 3].map((part) =>
    tensors.slice(part * count, (part + 1) * count),
  ) as [Handle[], Handle[], Handle[], Handle[]];
  // The kernel walks memory, whatever the strides say; a gradient may be a slice of another.
  const gradients = given.map((each) => k.call(aten.contiguous, each));
  if (gradient_scale !== 1) k.call(aten.foreach_mul_, gradients, gradient_scale);
  const steps = k.host(Float32Array.of(step), []);
  k.call(
    aten.fused_adamw_,
    parameters,
    gradients,
    means,
    squares,
    [],
    parameters.map(() => steps),
    learning_rate,
    beta1,
    beta2,
    weight_decay,
    epsilon,
    false,
    false,
    null,
    stop,
  );
  for (let i = 0; i < 3 * count; i++) k.changed(i);
  return [];
}

/**
 * How many columns a product with a transposed weight has more than the weight has rows, and how to give them to what
 * is as wide: zeros.
 */
function paddedColumns(k: KernelCall<{ transposed: boolean }>): { more: number; columns: (x: Handle) => Handle } {
  const more = k.attrs.transposed ? k.backend.padding(k.shape('weight')[0] as number) : 0;
  return { more, columns: (x) => (more === 0 ? x : k.call(aten.constant_pad, x, [0, more], 0)) };
}

/** at::Reduction::Sum. */
const reduceBySum = 2;

function float32(k: KernelCall<unknown>, x: Handle): Handle {
  return k.productType === scalar.float32 ? x : k.call(aten.to, x, scalar.float32);
}
