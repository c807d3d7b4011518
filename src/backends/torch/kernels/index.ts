import { backend_util, type DataType, type Tensor } from '@tensorflow/tfjs-core';
import type { Handle } from '../bridge.ts';
import { aten, scalar } from '../aten.ts';
import { scalarOf, type KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';

export const indexKernels = new FamilyBuilder()
  .add<{ axis: number; batchDims: number }>('GatherV2', (k) => {
    const { axis, batchDims } = k.attrs;
    const { batchSize, outerSize, dimSize, sliceSize, outputShape } =
      backend_util.segment_util.collectGatherOpShapeInfo(
        k.info('x') as Tensor,
        k.info('indices') as Tensor,
        axis,
        batchDims,
      );
    const rows = k.call(aten.reshape, k.in('x'), [batchSize, outerSize, dimSize, sliceSize]);
    const count = k.shape('indices').reduce((a, b) => a * b, 1) / batchSize;
    if (batchSize === 1)
      return k.call(
        aten.reshape,
        k.call(aten.index_select, rows, 2, k.call(aten.reshape, k.as('indices', scalar.int32), [count])),
        outputShape,
      );
    const index = k.call(aten.expand, k.call(aten.reshape, k.as('indices', scalar.int64), [batchSize, 1, count, 1]), [
      batchSize,
      outerSize,
      count,
      sliceSize,
    ]);
    return k.call(aten.reshape, k.call(aten.gather, rows, 2, index), outputShape);
  })
  .add('GatherNd', (k) => {
    const coordinates = columns(k);
    // No coordinate names the whole tensor, once per index.
    if (coordinates.length === 0)
      return k.call(aten.expand, k.in('params'), [...k.shape('indices').slice(0, -1), ...k.shape('params')]);
    return k.call(aten.index, k.in('params'), coordinates);
  })
  .add<{ shape: number[] }>('ScatterNd', (k) =>
    k.call(
      aten.index_put,
      k.call(aten.full, k.attrs.shape, 0, k.type('updates'), null, k.backend.device),
      columns(k),
      k.in('updates'),
      true,
    ),
  )
  .add('TensorScatterUpdate', (k) => k.call(aten.index_put, k.in('tensor'), columns(k), k.in('updates'), false))
  .add<{ outputShape: number[] }>('SparseToDense', (k) => {
    const background = k.call(aten.expand, k.in('defaultValue'), k.attrs.outputShape);
    const [count = 1, rank = 1] = k.shape('sparseIndices');
    const indices = k.call(
      aten.reshape,
      k.as('sparseIndices', scalar.int64),
      k.shape('sparseIndices').length === 2 ? [count, rank] : [-1, 1],
    );
    return k.call(
      aten.index_put,
      k.call(aten.contiguous, background),
      k.call(aten.unbind, indices, 1),
      k.in('sparseValues'),
      false,
    );
  })
  .add<{ depth: number; onValue: number; offValue: number; dtype: DataType }>('OneHot', (k) => {
    const { depth, onValue, offValue, dtype } = k.attrs;
    const classes = k.call(aten.arange, 0, depth, 1, scalar.int32, null, k.backend.device);
    const hit = k.call(aten.eq, k.call(aten.unsqueeze, k.in('indices'), -1), classes);
    return k.call(aten.to, k.call(aten.where_scalar, hit, onValue, offValue), scalarOf(dtype));
  })
  .add<{ numSegments: number }>('UnsortedSegmentSum', (k) => {
    const { numSegments } = k.attrs;
    const ids = k.shape('segmentIds');
    const rest = k.shape('x').slice(ids.length);
    const rows = k.call(aten.reshape, k.in('x'), [ids.reduce((a, b) => a * b, 1), ...rest]);
    return k.call(
      aten.index_add,
      k.call(aten.full, [numSegments, ...rest], 0, k.type('x'), null, k.backend.device),
      0,
      k.call(aten.reshape, k.in('segmentIds'), [-1]),
      rows,
    );
  })
  .add<{ side: 'left' | 'right' }>('SearchSorted', (k) =>
    k.call(aten.searchsorted, k.in('sortedSequence'), k.in('values'), true, k.attrs.side === 'right'),
  )
  .add<{ size: number }>('Bincount', (k) =>
    k.call(aten.to, bins(k, k.in('x'), k.shape('weights')[0] === 0 ? null : k.in('weights')), k.type('weights')),
  )
  .add<{ size: number; binaryOutput?: boolean }>('DenseBincount', (k) => {
    const weighted = k.shape('weights').includes(0) || k.shape('weights').length === 0 ? undefined : k.in('weights');
    const rowsOf = (x: Handle): Handle[] => (k.shape('x').length === 1 ? [x] : k.call(aten.unbind, x, 0));
    const weights = weighted === undefined ? [] : rowsOf(weighted);
    const counts = rowsOf(k.in('x')).map((row, i) => bins(k, row, weights[i] ?? null));
    const all = k.shape('x').length === 1 ? (counts[0] as Handle) : k.call(aten.stack, counts, 0);
    const out = k.attrs.binaryOutput === true ? k.call(aten.ge_scalar, all, 1) : all;
    return k.call(aten.to, out, weighted === undefined ? scalar.float32 : k.type('weights'));
  })
  .add<{ axis: number }>('Unique', (k) => {
    // In the order of first appearance, which ATen's own does not keep; uniques are found on the host.
    const shape = k.shape('x');
    const axis = k.attrs.axis < 0 ? k.attrs.axis + shape.length : k.attrs.axis;
    const first = shape.length === 0 ? 1 : (shape[axis] as number);
    const rows = k.call(
      aten.reshape,
      k.call(
        aten.permute,
        k.in('x'),
        [axis, ...shape.keys()].filter((dim, i) => i === 0 || dim !== axis),
      ),
      [first, -1],
    );
    const values = k.backend.bridge.toHost(rows);
    const width = values.length / first;
    const seen = new Map<string, number>();
    const picked: number[] = [];
    const indices = Int32Array.from({ length: first }, (_, row) => {
      const key = values.subarray(row * width, (row + 1) * width).join();
      if (!seen.has(key)) {
        seen.set(key, picked.length);
        picked.push(row);
      }
      return seen.get(key) as number;
    });
    return [
      k.call(aten.index_select, k.in('x'), axis, k.host(Int32Array.from(picked), [picked.length])),
      k.host(indices, [first]),
    ];
  }).kernels;

/** Counts, or sums of weights, of the values 0…size-1; larger ones are ignored. */
function bins(k: KernelCall<{ size: number }>, x: Handle, weights: Handle | null): Handle {
  return k.call(aten.slice, k.call(aten.bincount, x, weights, k.attrs.size), 0, 0, k.attrs.size, 1);
}

/** The last axis of `indices` as one list of coordinates per axis of what is indexed. */
function columns(k: KernelCall<unknown>): Handle[] {
  return k.call(aten.unbind, k.as('indices', scalar.int64), k.shape('indices').length - 1);
}
