import * as tf from '@tensorflow/tfjs-core';
import { normal as normalOf } from './ops-cases.ts';

export type KernelRow = readonly [name: string, run: () => tf.Tensor | tf.Tensor[]];

export const normal = (name: string, ...shape: number[]): tf.Tensor => normalOf(name, shape);
const x = () => normal('x', 2, 3, 4);
const y = () => normal('y', 2, 3, 4);
const row = () => normal('row', 4);
const positive = () => tf.add(tf.abs(x()), 0.1);
const unit = () => tf.mul(tf.tanh(x()), 0.9);
const ints = () => tf.tensor([7, -7, 3, 0, 5, -2], [2, 3], 'int32');
const others = () => tf.tensor([2, 3, -2, 5, 5, 4], [2, 3], 'int32');
const bools = () => tf.tensor([1, 0, 0, 1, 1, 0], [2, 3], 'bool');
const special = () => tf.tensor1d([1, Number.NaN, Infinity, -Infinity, 0, -2.5, 0.5, 1.5, 2.5]);
/** An operation of tfjs by its name. */
const op = (name: string, ...operands: unknown[]) =>
  (tf as unknown as Record<string, (...operands: unknown[]) => tf.Tensor>)[name]!(...operands);
/** A kernel, not through its operation. */
export const run = (name: string, inputs: object, attrs: object = {}) =>
  tf.engine().runKernel<tf.Tensor>(name, inputs as tf.NamedTensorMap, attrs as tf.NamedAttrMap);

const unary: KernelRow[] = [
  ...(
    [
      'abs',
      'atan',
      'asinh',
      'ceil',
      'cos',
      'cosh',
      'elu',
      'erf',
      'exp',
      'expm1',
      'floor',
      'neg',
      'onesLike',
      'reciprocal',
      'relu',
      'relu6',
      'round',
      'selu',
      'sigmoid',
      'sign',
      'sin',
      'sinh',
      'softplus',
      'square',
      'step',
      'tan',
      'tanh',
      'zerosLike',
      'leakyRelu',
      'isNaN',
      'isInf',
      'isFinite',
      'clone',
      'logSigmoid',
    ] as const
  ).map((name): KernelRow => [name, () => op(name, x())]),
  ...(['log', 'log1p', 'sqrt', 'rsqrt'] as const).map((name): KernelRow => [name, () => op(name, positive())]),
  ...(['acos', 'asin', 'atanh'] as const).map((name): KernelRow => [name, () => op(name, unit())]),
  ['acosh', () => tf.acosh(tf.add(positive(), 1))],
  ...(['isNaN', 'isInf', 'isFinite', 'step', 'relu', 'sign', 'round', 'abs'] as const).map((name): KernelRow => [
    `${name} of special values`,
    () => op(name, special()),
  ]),
  ...(['abs', 'neg', 'sign', 'square', 'relu'] as const).map((name): KernelRow => [
    `${name} of int32`,
    () => op(name, ints()),
  ]),
  ['logicalNot', () => tf.logicalNot(bools())],
  ['clipByValue', () => tf.clipByValue(x(), -0.5, 0.25)],
  ['step with a slope', () => tf.step(x(), 0.3)],
  ['EluGrad', () => run('EluGrad', { dy: y(), y: tf.elu(x()) })],
  ...(['float32', 'int32', 'bool'] as const).flatMap((to) =>
    (['x', 'ints', 'bools'] as const).map((from): KernelRow => [
      `cast ${from} to ${to}`,
      () => tf.cast({ x, ints, bools }[from](), to),
    ]),
  ),
];
const binary: KernelRow[] = [
  ...(
    [
      'add',
      'sub',
      'mul',
      'div',
      'maximum',
      'minimum',
      'squaredDifference',
      'atan2',
      'mod',
      'equal',
      'notEqual',
      'greater',
      'greaterEqual',
      'less',
      'lessEqual',
    ] as const
  ).flatMap((name): KernelRow[] => [
    [name, () => op(name, x(), y())],
    [`${name} broadcast`, () => op(name, x(), row())],
    [`${name} of a column and a row`, () => op(name, normal('c', 3, 1), row())],
  ]),
  ...(['add', 'sub', 'mul', 'maximum', 'minimum', 'equal', 'less', 'bitwiseAnd'] as const).map((name): KernelRow => [
    `${name} of int32`,
    () => op(name, ints(), others()),
  ]),
  ['floorDiv of int32', () => tf.floorDiv(ints(), others())],
  ['div of int32', () => tf.div(ints(), others())],
  ['mod of int32', () => tf.mod(ints(), others())],
  ['pow', () => tf.pow(positive(), y())],
  ['pow of int32', () => tf.pow(ints(), tf.scalar(2, 'int32'))],
  ...(['logicalAnd', 'logicalOr', 'logicalXor'] as const).map((name): KernelRow => [
    name,
    () => op(name, bools(), tf.logicalNot(tf.reverse(bools(), 0))),
  ]),
  ['addN', () => tf.addN([x(), y(), x()])],
  ['addN of one', () => tf.addN([x()])],
  ['prelu', () => tf.prelu(x(), row())],
  ['where', () => tf.where(tf.greater(x(), 0), x(), y())],
];
const matmul: KernelRow[] = [
  ...[false, true].flatMap((a) =>
    [false, true].map((b): KernelRow => [
      `matMul ${a ? 'aᵀ' : 'a'}·${b ? 'bᵀ' : 'b'}`,
      () => tf.matMul(normal('a', ...(a ? [5, 4] : [4, 5])), normal('b', ...(b ? [6, 5] : [5, 6])), a, b),
    ]),
  ),
  ['matMul of batches', () => tf.matMul(normal('a', 3, 4, 5), normal('b', 3, 5, 2))],
  ['matMul of a batch and one matrix', () => tf.matMul(normal('a', 3, 4, 5), normal('b', 1, 5, 2))],
  ['dot', () => tf.dot(normal('a', 5) as tf.Tensor1D, normal('b', 5) as tf.Tensor1D)],
  ['einsum', () => tf.einsum('bij,bjk->bik', normal('a', 2, 3, 4), normal('b', 2, 4, 5))],
  ...(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const).map((activation): KernelRow => [
    `fused matMul with ${activation}`,
    () =>
      tf.fused.matMul({
        a: normal('a', 4, 5),
        b: normal('b', 5, 3),
        bias: normal('bias', 3),
        activation,
        preluActivationWeights: normal('slope', 3),
        leakyreluAlpha: 0.1,
      }),
  ]),
];
const reduce: KernelRow[] = [
  ...(['sum', 'mean', 'max', 'min', 'prod'] as const).flatMap((name): KernelRow[] => [
    [name, () => op(name, x())],
    [`${name} of one axis`, () => op(name, x(), 1)],
    [`${name} of two, kept`, () => op(name, x(), [0, -1], true)],
  ]),
  ...(['sum', 'max', 'min', 'prod', 'mean'] as const).map((name): KernelRow => [
    `${name} of int32`,
    () => op(name, ints(), 1),
  ]),
  ['sum of bool', () => tf.sum(bools())],
  ['all', () => tf.all(bools(), 1)],
  ['any', () => tf.any(bools(), [0, 1], true)],
  ['argMax', () => tf.argMax(x(), 1)],
  ['argMin', () => tf.argMin(x(), -1)],
  ...[false, true].flatMap((exclusive) =>
    [false, true].flatMap((reverse): KernelRow[] => [
      [`cumsum ${exclusive} ${reverse}`, () => tf.cumsum(x(), 1, exclusive, reverse)],
      [`cumprod ${exclusive} ${reverse}`, () => tf.cumprod(x(), 2, exclusive, reverse)],
    ]),
  ),
  ['softmax', () => tf.softmax(x())],
  ['logSoftmax', () => tf.logSoftmax(x())],
  ['logSumExp', () => tf.logSumExp(x(), 1)],
  [
    'topk',
    () => {
      const { values, indices } = tf.topk(x(), 2);
      return [values, indices];
    },
  ],
  ['norm', () => tf.norm(x(), 'euclidean', [0, 1])],
  [
    'moments',
    () => {
      const { mean, variance } = tf.moments(x(), [0, 2]);
      return [mean, variance];
    },
  ],
];
const shape: KernelRow[] = [
  ['reshape', () => tf.reshape(x(), [4, -1])],
  ['reshape of a transpose', () => tf.reshape(tf.transpose(x(), [2, 0, 1]), [4, 6])],
  ['expandDims', () => tf.expandDims(x(), 1)],
  ['squeeze', () => tf.squeeze(normal('s', 1, 3, 1))],
  ['transpose', () => tf.transpose(x())],
  ['broadcastTo', () => tf.broadcastTo(row(), [2, 3, 4])],
  ['broadcastArgs', () => tf.broadcastArgs(tf.tensor1d([3, 1], 'int32'), tf.tensor1d([2, 1, 4], 'int32'))],
  ['concat', () => tf.concat([x(), y()], 1)],
  ['concat with nothing', () => tf.concat([tf.zeros([0, 3]), normal('a', 2, 3)], 0)],
  ['stack', () => tf.stack([x(), y()], -1)],
  ['unstack', () => tf.unstack(x(), 1)],
  ['split', () => tf.split(x(), 2, 2)],
  ['split by sizes', () => tf.split(x(), [1, -1], 1)],
  ['slice', () => tf.slice(x(), [0, 1, 1], [2, -1, 2])],
  ['slice of one axis', () => tf.slice(x(), 1)],
  ['stridedSlice', () => tf.stridedSlice(x(), [0, 2, 0], [2, 0, 4], [1, -1, 3])],
  ['stridedSlice by masks', () => tf.stridedSlice(x(), [0, 1], [1, 3], [1, 1], 0, 2, 0, 0, 1)],
  ['tile', () => tf.tile(x(), [1, 2, 3])],
  ['reverse', () => tf.reverse(x(), [0, 2])],
  [
    'pad',
    () =>
      tf.pad(
        x(),
        [
          [1, 0],
          [0, 2],
          [1, 1],
        ],
        7,
      ),
  ],
  [
    'mirrorPad reflect',
    () =>
      tf.mirrorPad(
        x(),
        [
          [1, 1],
          [2, 0],
          [0, 3],
        ],
        'reflect',
      ),
  ],
  [
    'mirrorPad symmetric',
    () =>
      tf.mirrorPad(
        x(),
        [
          [2, 1],
          [0, 3],
          [1, 0],
        ],
        'symmetric',
      ),
  ],
  ['diag', () => tf.diag(normal('d', 2, 2))],
  ['bandPart', () => tf.linalg.bandPart(normal('m', 4, 5), 1, 0)],
  ['fill', () => tf.fill([2, 3], 2.5)],
  ['fill of int32', () => tf.fill([2], 3, 'int32')],
  ['range', () => tf.range(1, 9, 3)],
  ['range downwards, of int32', () => tf.range(5, 0, -2, 'int32')],
  ['range in the wrong direction', () => tf.range(0, 5, -1)],
  ['linspace', () => tf.linspace(0, 1, 5)],
  ['Range itself', () => run('Range', {}, { start: 2, stop: 7, step: 2, dtype: 'int32' })],
];
const index: KernelRow[] = [
  ['gather', () => tf.gather(x(), tf.tensor1d([2, 0, 2], 'int32'), 1)],
  [
    'gather by a matrix',
    () =>
      tf.gather(
        x(),
        tf.tensor2d(
          [
            [1, 0],
            [0, 1],
          ],
          [2, 2],
          'int32',
        ),
      ),
  ],
  [
    'gather in batches',
    () =>
      tf.gather(
        x(),
        tf.tensor2d(
          [
            [2, 0],
            [1, 1],
          ],
          [2, 2],
          'int32',
        ),
        1,
        1,
      ),
  ],
  [
    'gatherND',
    () =>
      tf.gatherND(
        x(),
        tf.tensor2d(
          [
            [0, 1],
            [1, 2],
          ],
          [2, 2],
          'int32',
        ),
      ),
  ],
  ['scatterND adds', () => tf.scatterND(tf.tensor2d([[1], [3], [1]], [3, 1], 'int32'), tf.tensor1d([5, 6, 7]), [5])],
  ['tensorScatterUpdate', () => tf.tensorScatterUpdate(x(), tf.tensor2d([[1, 0]], [1, 2], 'int32'), normal('u', 1, 4))],
  [
    'sparseToDense',
    () =>
      tf.sparseToDense(
        tf.tensor2d(
          [
            [0, 1],
            [2, 0],
          ],
          [2, 2],
          'int32',
        ),
        tf.tensor1d([4, 5]),
        [3, 2],
        tf.scalar(-1),
      ),
  ],
  [
    'oneHot',
    () =>
      tf.oneHot(
        tf.tensor2d(
          [
            [0, 3],
            [9, -1],
          ],
          [2, 2],
          'int32',
        ),
        4,
      ),
  ],
  ['oneHot with values', () => tf.oneHot(tf.tensor1d([1, 0], 'int32'), 3, 2, -2, 'float32')],
  ['unsortedSegmentSum', () => tf.unsortedSegmentSum(normal('s', 5, 3), tf.tensor1d([0, 2, 0, 1, 2], 'int32'), 4)],
  [
    'searchSorted',
    () =>
      tf.searchSorted(
        tf.tensor2d([
          [1, 3, 5],
          [2, 2, 4],
        ]),
        tf.tensor2d([
          [3, 6],
          [2, 0],
        ]),
        'left',
      ),
  ],
  ['lowerBound', () => tf.lowerBound(tf.tensor1d([1, 3, 3, 5]), tf.tensor1d([3, 4]))],
  ['upperBound', () => tf.upperBound(tf.tensor1d([1, 3, 3, 5]), tf.tensor1d([3, 4]))],
  [
    'SearchSorted itself',
    () =>
      run(
        'SearchSorted',
        {
          sortedSequence: tf.tensor2d([
            [1, 3, 5],
            [2, 2, 4],
          ]),
          values: tf.tensor2d([
            [3, 6],
            [2, 0],
          ]),
        },
        { side: 'right' },
      ),
  ],
  ['bincount', () => tf.bincount(tf.tensor1d([1, 1, 3, 9], 'int32'), tf.tensor1d([]), 5)],
  ['bincount, weighted', () => tf.bincount(tf.tensor1d([1, 1, 3], 'int32'), tf.tensor1d([0.5, 1, 2]), 5)],
  [
    'denseBincount',
    () =>
      tf.denseBincount(
        tf.tensor2d(
          [
            [1, 1, 3],
            [0, 4, 0],
          ],
          [2, 3],
          'int32',
        ),
        [],
        5,
      ),
  ],
  [
    'denseBincount, binary',
    () =>
      tf.denseBincount(
        tf.tensor2d(
          [
            [1, 1, 3],
            [0, 0, 4],
          ],
          [2, 3],
          'int32',
        ),
        [],
        5,
        true,
      ),
  ],
  [
    'denseBincount, weighted',
    () =>
      tf.denseBincount(
        tf.tensor2d(
          [
            [1, 1],
            [0, 4],
          ],
          [2, 2],
          'int32',
        ),
        tf.tensor2d([
          [1, 2],
          [3, 4],
        ]),
        5,
      ),
  ],
  [
    'unique',
    () => {
      const { values, indices } = tf.unique(tf.tensor1d([5, 2, 5, 9, 2]));
      return [values, indices];
    },
  ],
  [
    'unique rows',
    () => {
      const { values, indices } = tf.unique(
        tf.tensor2d([
          [1, 2],
          [3, 4],
          [1, 2],
        ]),
        0,
      );
      return [values, indices];
    },
  ],
  [
    'unique columns',
    () => {
      const { values, indices } = tf.unique(
        tf.tensor2d([
          [1, 1, 3],
          [3, 3, 4],
        ]),
        1,
      );
      return [values, indices];
    },
  ],
];
const norms: KernelRow[] = [
  ['batchNorm', () => tf.batchNorm(x(), row(), tf.abs(row()), normal('o', 4), normal('g', 4))],
  ['batchNorm without gain', () => tf.batchNorm(x(), row(), tf.abs(row()))],
];
/** Calls of tfjs's operations, by the families of kernels that they need. */
export const kernelFamilies = { unary, binary, matmul, reduce, shape, index, norms };
