import type { Handle } from '../bridge.ts';
import { aten, ours, scalar } from '../aten.ts';
import type { KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';
import { drop } from './dropout.ts';

interface AttentionAttrs {
  batch: number;
  length: number;
  heads: number;
  rate: number;
  key: number;
}

/**
 * On the CPU an operator of our own, on a GPU without padding FlashAttention: neither writes scores to memory.
 * Elsewhere products and a softmax, which keep the probabilities. What the gradient needs in addition to the
 * projections is in `statistics`.
 */
export const attentionKernels = new FamilyBuilder()
  .add<AttentionAttrs>('RpAttention', (k) => {
    const { batch, heads, rate, key } = k.attrs;
    if (k.owns(ours.attention))
      return k.call(ours.attention, k.as('projections', k.heldType), padding(k), batch, heads, rate, key);
    if (canFlash(k)) return flash(k);
    const [q, keys, values] = projections(k);
    const transposed = k.call(aten.transpose, keys, 1, 2);
    const scores = k.has('bias')
      ? k.call(aten.baddbmm, biases(k), q, transposed, 1, scaleOf(k))
      : k.call(aten.mul_scalar_, k.call(aten.bmm, q, transposed), scaleOf(k));
    const probabilities = k.call(aten.softmax, scores, -1, false);
    const out = k.call(aten.bmm, drop(k, probabilities, rate, key), values);
    return [k.activation(k.call(aten.reshape, byToken(k, out), [rowsOf(k), -1])), probabilities];
  })
  .add<AttentionAttrs>('RpAttentionGrad', (k) => {
    const { batch, length, heads, rate, key } = k.attrs;
    if (k.owns(ours.attention_backward))
      return k.call(
        ours.attention_backward,
        k.as('dy', k.heldType),
        k.as('projections', k.heldType),
        k.in('statistics0'),
        padding(k),
        batch,
        heads,
        rate,
        key,
      );
    if (canFlash(k)) return flashBackward(k);
    const [q, keys, values] = projections(k);
    const dOut = k.call(
      aten.reshape,
      k.call(aten.transpose, k.call(aten.view, k.operand('dy'), [batch, length, heads, -1]), 1, 2),
      [batch * heads, length, -1],
    );
    const probabilities = k.in('statistics0');
    const flip = (x: Handle) => k.call(aten.transpose, x, 1, 2);
    const dValues = k.call(aten.bmm, flip(drop(k, probabilities, rate, key)), dOut);
    const dProbabilities = drop(k, k.call(aten.bmm, dOut, flip(values)), rate, key);
    const dScores = k.call(
      aten.mul_scalar_,
      k.call(aten.softmax_backward, dProbabilities, probabilities, -1, k.productType),
      scaleOf(k),
    );
    const gradients = [k.call(aten.bmm, dScores, keys), k.call(aten.bmm, flip(dScores), q), dValues];
    return k.activation(
      k.call(
        aten.reshape,
        k.call(
          aten.stack,
          gradients.map((each) => byToken(k, each)),
          2,
        ),
        [rowsOf(k), -1],
      ),
    );
  }).kernels;

/**
 * Its dropout draws from the device's generator, whose seed is the key: other elements are dropped than elsewhere, but
 * the same each time.
 */
function flash(k: KernelCall<AttentionAttrs>): Handle[] {
  const { length, rate, key } = k.attrs;
  if (rate > 0) k.backend.bridge.seed(key, k.backend.device);
  const [out, logSums, random] = k.call(
    aten.flash_attention,
    ...byPart(k),
    null,
    null,
    length,
    length,
    rate,
    false,
    false,
  );
  return [k.call(aten.reshape, out, [rowsOf(k), -1]), logSums, random, out];
}

function flashBackward(k: KernelCall<AttentionAttrs>): Handle {
  const { batch, length, heads, rate } = k.attrs;
  const [dy, logSums, random, out] = [
    k.call(aten.view, k.operand('dy'), [batch, length, heads, -1]),
    k.in('statistics0'),
    k.in('statistics1'),
    k.in('statistics2'),
  ];
  // Its default adds in whatever order threads come, and would only warn.
  k.backend.bridge.strict(true);
  try {
    const gradients = k.call(
      aten.flash_attention_backward,
      dy,
      ...byPart(k),
      out,
      logSums,
      null,
      null,
      length,
      length,
      rate,
      false,
      random,
      random,
    );
    return k.call(aten.reshape, k.call(aten.stack, gradients, 2), [rowsOf(k), -1]);
  } finally {
    k.backend.bridge.strict(false);
  }
}

function canFlash(k: KernelCall<AttentionAttrs>): boolean {
  const width = (k.shape('projections')[1] as number) / 3 / k.attrs.heads;
  return k.backend.hasFlashAttention && !k.has('bias') && width % 8 === 0 && width <= 256;
}

/** Queries, keys and values, `[batch, length, heads, d]` each, without a copy. */
function byPart(k: KernelCall<AttentionAttrs>): [query: Handle, key: Handle, value: Handle] {
  const { batch, length, heads } = k.attrs;
  return k.call(aten.unbind, k.call(aten.view, k.operand('projections'), [batch, length, 3, heads, -1]), 2) as [
    Handle,
    Handle,
    Handle,
  ];
}

function padding(k: KernelCall<AttentionAttrs>): Handle | null {
  return k.has('bias') ? k.as('bias', scalar.float32) : null;
}

function rowsOf({ attrs: { batch, length } }: KernelCall<AttentionAttrs>): number {
  return batch * length;
}

function scaleOf(k: KernelCall<AttentionAttrs>): number {
  return 1 / Math.sqrt((k.shape('projections')[1] as number) / 3 / k.attrs.heads);
}

/** Queries, keys and values as a matrix for each head of each sequence, `[batch·heads, length, d]`. */
function projections(k: KernelCall<AttentionAttrs>): [query: Handle, key: Handle, value: Handle] {
  const { batch, length, heads } = k.attrs;
  const byHead = k.call(
    aten.permute,
    k.call(aten.view, k.operand('projections'), [batch, length, 3, heads, -1]),
    [2, 0, 3, 1, 4],
  );
  return k.call(aten.unbind, k.call(aten.reshape, byHead, [3, batch * heads, length, -1]), 0) as [
    Handle,
    Handle,
    Handle,
  ];
}

/** `[batch·heads, length, d]` as `[batch, length, heads, d]`, without a copy. */
function byToken(k: KernelCall<AttentionAttrs>, x: Handle): Handle {
  const { batch, length, heads } = k.attrs;
  return k.call(aten.transpose, k.call(aten.view, x, [batch, heads, length, -1]), 1, 2);
}

/** The bias once per head, `[batch·heads, 1, length]`. */
function biases(k: KernelCall<AttentionAttrs>): Handle {
  const { batch, heads, length } = k.attrs;
  return k.call(
    aten.reshape,
    k.call(aten.expand, k.call(aten.view, k.as('bias', k.productType), [batch, 1, 1, length]), [
      batch,
      heads,
      1,
      length,
    ]),
    [batch * heads, 1, length],
  );
}
