import type { Handle } from '../bridge.ts';
import { aten, scalar, type Op } from '../aten.ts';
import type { KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';

interface ReduceAttrs {
  /** Default: all axes. */
  axis?: number | number[];
  reductionIndices?: number | number[];
  keepDims?: boolean;
}
interface ScanAttrs {
  axis: number;
  exclusive: boolean;
  reverse: boolean;
}

export const reduceKernels = new FamilyBuilder()
  .add<ReduceAttrs>('Sum', (k) =>
    k.call(
      aten.sum,
      k.in('x'),
      axes(k),
      k.attrs.keepDims ?? false,
      k.info('x').dtype === 'float32' ? scalar.float32 : scalar.int64,
    ),
  )
  .add<ReduceAttrs>('Mean', (k) => k.call(aten.mean, k.in('x'), axes(k), k.attrs.keepDims ?? false, scalar.float32))
  .add<ReduceAttrs>('Max', (k) => extreme(k, aten.amax))
  .add<ReduceAttrs>('Min', (k) => extreme(k, aten.amin))
  .add<ReduceAttrs>('All', (k) => extreme(k, aten.all))
  .add<ReduceAttrs>('Any', (k) => extreme(k, aten.any))
  .add<ReduceAttrs>('Prod', (k) => {
    // One axis at a time, the last first, so that the numbers of the others stay right.
    const dims = axes(k).toSorted((a, b) => b - a);
    return dims.reduce<Handle>(
      (x, dim) => k.call(aten.prod, x, dim, k.attrs.keepDims ?? false),
      k.call(aten.alias, k.in('x')),
    );
  })
  .add<ReduceAttrs>('ArgMax', (k) => k.call(aten.argmax, k.in('x'), axes(k)[0] ?? 0))
  .add<ReduceAttrs>('ArgMin', (k) => k.call(aten.argmin, k.in('x'), axes(k)[0] ?? 0))
  .add<ScanAttrs>('Cumsum', (k) => scan(k, aten.cumsum, 0))
  .add<ScanAttrs>('Cumprod', (k) => scan(k, aten.cumprod, 1))
  .add<{ dim?: number }>('Softmax', (k) => k.call(aten.softmax, k.in('logits'), k.attrs.dim ?? -1, false))
  .add<{ k: number; sorted: boolean }>('TopK', (k) =>
    k.call(aten.topk, k.in('x'), k.attrs.k, -1, true, k.attrs.sorted),
  ).kernels;

function extreme(k: KernelCall<ReduceAttrs>, op: Op<[x: Handle, dims: readonly number[], keepDims: boolean]>): Handle {
  return k.call(op, k.in('x'), axes(k), k.attrs.keepDims ?? false);
}

/** The axes to reduce, from 0 up. */
function axes(k: KernelCall<ReduceAttrs>): number[] {
  const rank = k.shape('x').length;
  const given = k.attrs.axis ?? k.attrs.reductionIndices ?? Array.from({ length: rank }, (_, i) => i);
  return (Array.isArray(given) ? given : [given]).map((axis) => (axis < 0 ? axis + rank : axis));
}

/** A running sum or product; `exclusive` leaves each element itself out, so that it begins with the neutral element. */
function scan(k: KernelCall<ScanAttrs>, op: Op<[x: Handle, dim: number]>, neutral: number): Handle {
  const { exclusive, reverse, axis } = k.attrs;
  const shape = k.shape('x');
  const dim = axis < 0 ? axis + shape.length : axis;
  const turned = reverse ? k.call(aten.flip, k.in('x'), [dim]) : k.in('x');
  const shifted = exclusive
    ? k.call(
        aten.slice,
        k.call(aten.constant_pad, turned, [...shape.slice(dim + 1).flatMap(() => [0, 0]), 1, 0], neutral),
        dim,
        0,
        shape[dim] ?? 0,
        1,
      )
    : turned;
  const run = k.call(op, shifted, dim);
  return reverse ? k.call(aten.flip, run, [dim]) : run;
}
