import { slice_util, type DataType } from '@tensorflow/tfjs-core';
import type { Handle } from '../bridge.ts';
import { aten } from '../aten.ts';
import { scalarOf, type KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';

type Pads = readonly (readonly [before: number, after: number])[];

/** Views where ATen has views: nothing here copies unless it must. */
export const shapeKernels = new FamilyBuilder()
  .add<{ shape: number[] }>('Reshape', (k) => k.call(aten.reshape, k.in('x'), k.attrs.shape))
  .add<{ dim: number }>('ExpandDims', (k) => k.call(aten.unsqueeze, k.in('input'), k.attrs.dim))
  .add<{ perm: number[] }>('Transpose', (k) => k.call(aten.permute, k.in('x'), k.attrs.perm))
  .add('BroadcastArgs', (k) => {
    const [a, b] = [hostShape(k, 's0'), hostShape(k, 's1')];
    const rank = Math.max(a.length, b.length);
    const at = (shape: readonly number[], i: number) => shape[i - rank + shape.length] ?? 1;
    const joined = Int32Array.from({ length: rank }, (_, i) => (at(a, i) === 1 ? at(b, i) : at(a, i)));
    for (let i = 0; i < rank; i++)
      if (at(b, i) !== 1 && at(b, i) !== joined[i])
        throw new TypeError(`shapes [${a.join(', ')}] and [${b.join(', ')}] do not broadcast`);
    return k.host(joined, [rank]);
  })
  .add<{ axis: number }>('Concat', (k) => k.call(aten.cat, k.list(), k.attrs.axis))
  .add<{ axis: number }>('Pack', (k) => k.call(aten.stack, k.list(), k.attrs.axis))
  .add<{ axis: number }>('Unpack', (k) => k.call(aten.unbind, k.in('value'), k.attrs.axis))
  .add<{ numOrSizeSplits: number | number[]; axis: number }>('SplitV', (k) => {
    const { numOrSizeSplits: splits, axis } = k.attrs;
    const size = k.shape('x').at(axis) ?? 0;
    return k.call(aten.split, k.in('x'), splitSizes(splits, size), axis);
  })
  .add<{ begin: number | number[]; size: number | number[] }>('Slice', (k) => {
    const [begin, size] = slice_util.parseSliceParams(
      { shape: k.shape('x') } as never,
      k.attrs.begin,
      k.attrs.size,
    ) as [number[], number[]];
    return begin.reduce<Handle>(
      (x, start, dim) =>
        size[dim] === k.shape('x')[dim] ? x : k.call(aten.slice, x, dim, start, start + (size[dim] as number), 1),
      k.call(aten.alias, k.in('x')),
    );
  })
  .add<{
    begin: number[];
    end: number[];
    strides: number[];
    beginMask: number;
    endMask: number;
    ellipsisMask: number;
    newAxisMask: number;
    shrinkAxisMask: number;
  }>('StridedSlice', (k) => {
    const { begin, end, strides, beginMask, endMask, ellipsisMask, newAxisMask, shrinkAxisMask } = k.attrs;
    const plan = slice_util.sliceInfo(
      k.shape('x'),
      begin,
      end,
      strides,
      beginMask,
      endMask,
      ellipsisMask,
      newAxisMask,
      shrinkAxisMask,
    );
    const { begin: starts, end: ends, strides: steps, finalShape } = plan;
    const sliced = steps.reduce<Handle>(
      (x, step, dim) => stride(k, x, dim, { begin: starts[dim] ?? 0, end: ends[dim] ?? 0, step }),
      k.call(aten.alias, k.in('x')),
    );
    return k.call(aten.reshape, sliced, finalShape);
  })
  .add<{ reps: number[] }>('Tile', (k) => k.call(aten.repeat, k.in('x'), k.attrs.reps))
  .add<{ dims: number | number[] }>('Reverse', (k) => k.call(aten.flip, k.in('x'), [k.attrs.dims].flat()))
  // ATen counts paddings from the last axis.
  .add<{ paddings: Pads; constantValue: number }>('PadV2', (k) =>
    k.call(aten.constant_pad, k.in('x'), k.attrs.paddings.toReversed().flat(), k.attrs.constantValue),
  )
  .add<{ paddings: Pads; mode: 'reflect' | 'symmetric' }>('MirrorPad', (k) => {
    const { paddings, mode } = k.attrs;
    return paddings.reduce<Handle>((x, [before, after], axis) => {
      const index = mirrored(k.shape('x')[axis] ?? 0, before, after, mode === 'reflect' ? 1 : 0);
      return k.call(aten.index_select, x, axis, k.host(index, [index.length]));
    }, k.in('x'));
  })
  .add('Diag', (k) =>
    k.call(aten.reshape, k.call(aten.diag_embed, k.call(aten.reshape, k.in('x'), [-1])), [
      ...k.shape('x'),
      ...k.shape('x'),
    ]),
  )
  .add<{ shape: number[]; value: number; dtype: DataType }>('Fill', (k) =>
    k.call(aten.full, k.attrs.shape, k.attrs.value, scalarOf(k.attrs.dtype), null, k.backend.device),
  )
  .add<{ start: number; stop: number; step: number; dtype: DataType }>('Range', (k) => {
    const { start, stop, step, dtype } = k.attrs;
    // tfjs allows a step of the wrong sign: nothing then.
    const empty = start === stop || start < stop !== step > 0;
    return k.call(aten.arange, start, empty ? start : stop, step, scalarOf(dtype), null, k.backend.device);
  })
  .add<{ start: number; stop: number; num: number }>('LinSpace', (k) =>
    k.call(aten.linspace, k.attrs.start, k.attrs.stop, k.attrs.num, scalarOf('float32'), null, k.backend.device),
  ).kernels;

/** Numbers out of a small tensor that describes a shape. */
function hostShape(k: KernelCall, name: string): number[] {
  return Array.from(k.backend.bridge.toHost(k.in(name)));
}

/** One size may be -1, for what the others leave. */
function splitSizes(splits: number | number[], size: number): number[] {
  if (typeof splits === 'number') return Array.from({ length: splits }, () => size / splits);
  const rest = size - splits.reduce((total, each) => total + Math.max(each, 0), 0);
  return splits.map((each) => (each === -1 ? rest : each));
}

/** Every `step`th entry of a dimension from `begin` up to `end`, or down to it. */
function stride(
  k: KernelCall<unknown>,
  x: Handle,
  dim: number,
  { begin, end, step }: { readonly begin: number; readonly end: number; readonly step: number },
): Handle {
  if (step > 0) return k.call(aten.slice, x, dim, begin, Math.max(begin, end), step);
  const count = Math.max(0, Math.ceil((end - begin) / step));
  return k.call(
    aten.index_select,
    x,
    dim,
    k.host(
      Int32Array.from({ length: count }, (_, i) => begin + i * step),
      [count],
    ),
  );
}

/** Indices that are reflected at both ends; `skip` omits the edge itself. */
function mirrored(size: number, before: number, after: number, skip: number): Int32Array {
  return Int32Array.from({ length: before + size + after }, (_, i) => {
    const at = i - before;
    if (at < 0) return -at - 1 + skip;
    return at < size ? at : 2 * size - 1 - skip - at;
  });
}
