import type { Handle } from '../addon.ts';
import { aten } from '../aten.ts';
import type { KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';

interface AttentionAttrs {
  batch: number;
  length: number;
  heads: number;
  rate: number;
  key: number;
}

/**
 * Without dropout, ATen's flash attention, which keeps a logarithm per row; with it, products and a softmax, which keep
 * the probabilities, since flash attention on CPU knows no dropout.
 */
export const attentionKernels = new FamilyBuilder()
  .add<AttentionAttrs>('RpAttention', (k) => (k.attrs.rate === 0 ? flash(k) : plain(k)))
  .add<AttentionAttrs>('RpAttentionGrad', (k) => (k.attrs.rate === 0 ? flashGrad(k) : plainGrad(k)))
  .kernels;

function flash(k: KernelCall<AttentionAttrs>): Handle[] {
  const [out, logSumExp] = k.call(aten.flash_cpu, heads(k, k.operand('query')), heads(k, k.operand('key')), heads(k, k.operand('value')), 0, false, mask(k), scaleOf(k));
  return [join(k, out), logSumExp];
}

function flashGrad(k: KernelCall<AttentionAttrs>): Handle[] {
  const [q, key, value, output, dy] = ['query', 'key', 'value', 'output', 'dy'].map((name) => heads(k, k.operand(name))) as [Handle, Handle, Handle, Handle, Handle];
  return k.call(aten.flash_cpu_backward, dy, q, key, value, output, k.in('statistics'), 0, false, mask(k), scaleOf(k)).map((gradient) => join(k, gradient));
}

function plain(k: KernelCall<AttentionAttrs>): Handle[] {
  const { batch, length, heads: count, rate, key } = k.attrs;
  const [q, keys, values] = ['query', 'key', 'value'].map((name) => matrices(k, name)) as [Handle, Handle, Handle];
  const transposed = k.call(aten.transpose, keys, 1, 2);
  const scores = k.has('bias') ? k.call(aten.baddbmm, biases(k), q, transposed, 1, scaleOf(k)) : k.call(aten.mul_scalar_, k.call(aten.bmm, q, transposed), scaleOf(k));
  const probabilities = k.call(aten.softmax, scores, -1, false);
  const out = k.call(aten.bmm, k.call(aten.dropout, probabilities, rate, key), values);
  return [join(k, k.call(aten.view, out, [batch, count, length, -1])), probabilities];
}

function plainGrad(k: KernelCall<AttentionAttrs>): Handle[] {
  const { batch, length, heads: count, rate, key } = k.attrs;
  const [q, keys, values, dOut] = ['query', 'key', 'value', 'dy'].map((name) => matrices(k, name)) as [Handle, Handle, Handle, Handle];
  const probabilities = k.in('statistics');
  const flip = (x: Handle) => k.call(aten.transpose, x, 1, 2);
  const dValues = k.call(aten.bmm, flip(k.call(aten.dropout, probabilities, rate, key)), dOut);
  const dProbabilities = k.call(aten.dropout, k.call(aten.bmm, dOut, flip(values)), rate, key);
  const dScores = k.call(aten.mul_scalar_, k.call(aten.softmax_backward, dProbabilities, probabilities, -1, k.computeType), scaleOf(k));
  const gradients = [k.call(aten.bmm, dScores, keys), k.call(aten.bmm, flip(dScores), q), dValues];
  return gradients.map((gradient) => join(k, k.call(aten.view, gradient, [batch, count, length, -1])));
}

function scaleOf(k: KernelCall<AttentionAttrs>): number {
  return 1 / Math.sqrt((k.shape('query')[1] as number) / k.attrs.heads);
}

/** `[batch·length, heads·d]` as `[batch, heads, length, d]`, without a copy. */
function heads(k: KernelCall<AttentionAttrs>, x: Handle): Handle {
  const { batch, length, heads: count } = k.attrs;
  return k.call(aten.transpose, k.call(aten.view, x, [batch, length, count, -1]), 1, 2);
}

/** The same as a batch of matrices, `[batch·heads, length, d]`. */
function matrices(k: KernelCall<AttentionAttrs>, name: string): Handle {
  return k.call(aten.reshape, heads(k, k.operand(name)), [k.attrs.batch * k.attrs.heads, k.attrs.length, -1]);
}

/** `[batch, heads, length, d]` back to `[batch·length, heads·d]`. */
function join(k: KernelCall<AttentionAttrs>, x: Handle): Handle {
  return k.call(aten.reshape, k.call(aten.transpose, x, 1, 2), [k.attrs.batch * k.attrs.length, k.shape('query')[1] as number]);
}

function mask(k: KernelCall<AttentionAttrs>): Handle | null {
  const { batch, heads: count, length } = k.attrs;
  return k.has('bias') ? k.call(aten.expand, k.call(aten.view, k.as('bias', k.computeType), [batch, 1, 1, length]), [batch, count, length, length]) : null;
}

/** The bias once per head, `[batch·heads, 1, length]`. */
function biases(k: KernelCall<AttentionAttrs>): Handle {
  const { batch, heads: count, length } = k.attrs;
  return k.call(aten.reshape, k.call(aten.expand, k.call(aten.view, k.as('bias', k.computeType), [batch, 1, 1, length]), [batch, count, 1, length]), [batch * count, 1, length]);
}
