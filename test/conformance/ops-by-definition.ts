import * as tf from '@tensorflow/tfjs-core';
import { adamW, decidesUpdates, globalNorm, labelScores } from '../../src/ops/index.ts';
import { hasKernel, runFused } from '../../src/ops/kernel.ts';
import { normal } from './ops-cases.ts';
import { tidied } from './ops-compare.ts';

/** What an operation gave, and what its definition, computed here, says that it has to. */
export interface Comparison {
  readonly what: string;
  readonly actual: readonly ArrayLike<number>[];
  readonly expected: readonly ArrayLike<number>[];
}

/** Operations that have no gradient to compare, or that change their inputs, on the current backend in float32. */
export const definitions: readonly { readonly name: string; readonly run: () => Comparison[] }[] = [
  { name: 'matMul with every pair of flags, one matrix and a batch', run: () => tidied(products) },
  { name: 'globalNorm, of many tensors and of one that is not finite', run: () => tidied(norms) },
  { name: 'labelScores: log-sum-exp, the score of the label, and the best class', run: () => tidied(scores) },
  { name: 'the gradient of a softmax', run: () => (hasKernel('RpSoftmaxGrad') ? tidied(softmaxGradient) : []) },
  {
    name: 'AdamW over several parameters at once, clipped, three steps, as PyTorch defines it',
    run: () => threeUpdates(false),
  },
  {
    name: 'AdamW that a finite outcome lets happen, and that one which is not leaves out',
    run: () => (decidesUpdates() ? [...threeUpdates(true), leftOut()] : []),
  },
  {
    name: 'AdamW changes a parameter that was multiplied by before, and the next product sees it',
    run: productsAround,
  },
];

function scores(): Comparison[] {
  const [rows, classes] = [6, 3001];
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 997) % classes);
  const values = normal('scores', [rows, classes], 3);
  const host = values.dataSync<'float32'>();
  const expected = [...labels].flatMap((label, index) => {
    const row = host.subarray(index * classes, (index + 1) * classes);
    const max = row.reduce((a, b) => Math.max(a, b));
    return [max + Math.log(row.reduce((sum, x) => sum + Math.exp(x - max), 0)), row[label]!, row.indexOf(max)];
  });
  const actual = labelScores(values as tf.Tensor2D, tf.tensor1d(labels, 'int32')).dataSync();
  // Each of the three by itself: a class number is a thousand times as large as a score.
  return ['log-sum-exp', 'score', 'class'].map((what, column): Comparison => {
    const of = (all: ArrayLike<number>): number[] => Array.from(labels, (_, row) => all[3 * row + column]!);
    return { what, actual: [of(actual)], expected: [of(expected)] };
  });
}

function products(): Comparison[] {
  return [[], [3]].flatMap((batch) =>
    [false, true].flatMap((flipA) =>
      [false, true].map((flipB): Comparison => {
        const a = normal('a', [...batch, ...(flipA ? [5, 4] : [4, 5])]);
        const b = normal('b', [...batch, ...(flipB ? [6, 5] : [5, 6])]);
        const [left, right] = [a.dataSync(), b.dataSync()];
        const expected: number[] = [];
        for (let n = 0; n < (batch[0] ?? 1); n++)
          for (let i = 0; i < 4; i++)
            for (let j = 0; j < 6; j++) {
              let sum = 0;
              for (let k = 0; k < 5; k++)
                sum +=
                  (left[n * 20 + (flipA ? k * 4 + i : i * 5 + k)] as number) *
                  (right[n * 30 + (flipB ? j * 5 + k : k * 6 + j)] as number);
              expected.push(sum);
            }
        return {
          what: `${batch.length > 0 ? 'a batch, ' : ''}${flipA ? 'aᵀ' : 'a'}·${flipB ? 'bᵀ' : 'b'}`,
          actual: [tf.matMul(a, b, flipA, flipB).dataSync()],
          expected: [expected],
        };
      }),
    ),
  );
}

function norms(): Comparison[] {
  const tensors = [normal('a', [6, 8]), normal('b', [5]), normal('c', [2, 3, 4])];
  const norm = (of: tf.Tensor[]) => [globalNorm(of).dataSync()];
  return [
    {
      what: 'three tensors',
      actual: norm(tensors),
      expected: [[Math.hypot(...tensors.flatMap((each) => [...each.dataSync()]))]],
    },
    { what: 'with NaN', actual: norm([...tensors, tf.tensor1d([1, Number.NaN])]), expected: [[Number.NaN]] },
    { what: 'with -Infinity', actual: norm([...tensors, tf.tensor1d([1, -Infinity])]), expected: [[Infinity]] },
  ];
}

function softmaxGradient(): Comparison[] {
  const [y, dy] = [tf.softmax(normal('x', [6, 7])), normal('dy', [6, 7])];
  const [outputs, slopes] = [y.dataSync(), dy.dataSync()];
  const expected = Array.from(outputs, (output, i) => {
    const row = [...outputs.keys()].filter((at) => Math.floor(at / 7) === Math.floor(i / 7));
    const mean = row.reduce((sum, at) => sum + outputs[at]! * slopes[at]!, 0);
    return 0.25 * output * (slopes[i]! - mean);
  });
  const actual = runFused('RpSoftmaxGrad', { dy, y }, { scale: 0.25 })[0] as tf.Tensor;
  return [{ what: 'dx', actual: [actual.dataSync()], expected: [expected] }];
}

const shapes = [[2, 3], [4], [1]];
const options = { learning_rate: 0.1, beta1: 0.9, beta2: 0.98, epsilon: 1e-6, weight_decay: 0.01 };

type Item = Record<'parameter' | 'mean' | 'squares', tf.Variable>;
const items = (): Item[] =>
  shapes.map((shape, i) => {
    const [parameter, mean, squares] = tf.tidy(() =>
      [normal(`p${i}`, shape), tf.zeros(shape), tf.zeros(shape)].map((start) => tf.variable(start)),
    ) as [tf.Variable, tf.Variable, tf.Variable];
    return { parameter, mean, squares };
  });
const valuesOf = (all: readonly Item[]): Float32Array[] =>
  all.flatMap(({ parameter, mean, squares }) =>
    [parameter, mean, squares].map((each) => Float32Array.from(each.dataSync())),
  );
const disposeAll = (all: readonly Item[]): void => tf.dispose(all.flatMap((item) => Object.values(item)));

/** The last two as slices of one tensor, as gradients of joined weights are. */
const gradientsOf = (step: number): tf.Tensor[] =>
  tf.tidy(() => [tf.split(normal(`g-${step}`, [2, 6]), 2, 1)[1]!, ...tf.split(normal(`h-${step}`, [5]), [4, 1])]);

function threeUpdates(withOutcome: boolean): Comparison[] {
  const all = items();
  const hosts = all.map(({ parameter }) => {
    const p = [...parameter.dataSync()];
    return { p, m: p.map(() => 0), v: p.map(() => 0) };
  });
  const outcome = tf.tensor1d([3, 1]);
  for (let step = 1; step <= 3; step++) {
    const gradients = gradientsOf(step);
    for (const [i, host] of hosts.entries()) updateHost(host, gradients[i]!.dataSync(), step);
    adamW(
      all.map((item, i) => ({ ...item, gradient: gradients[i]! })),
      { ...options, gradient_scale: 0.5, step },
      ...(withOutcome ? [outcome] : []),
    );
    tf.dispose(gradients);
  }
  const actual = valuesOf(all);
  disposeAll(all);
  outcome.dispose();
  return [{ what: 'parameters and moments', actual, expected: hosts.flatMap(({ p, m, v }) => [p, m, v]) }];
}

function updateHost({ p, m, v }: Record<'p' | 'm' | 'v', number[]>, gradient: Iterable<number>, step: number): void {
  const { learning_rate, beta1, beta2, epsilon, weight_decay } = options;
  for (const [j, value] of [...gradient].entries()) {
    const slope = value * 0.5;
    m[j] = beta1 * m[j]! + (1 - beta1) * slope;
    v[j] = beta2 * v[j]! + (1 - beta2) * slope * slope;
    p[j] =
      p[j]! * (1 - learning_rate * weight_decay) -
      ((learning_rate / (1 - beta1 ** step)) * m[j]!) / (Math.sqrt(v[j]!) / Math.sqrt(1 - beta2 ** step) + epsilon);
  }
}

function leftOut(): Comparison {
  const all = items();
  const expected = valuesOf(all);
  const gradients = gradientsOf(1);
  const outcome = tf.tensor1d([Number.NaN, 1]);
  adamW(
    all.map((item, i) => ({ ...item, gradient: gradients[i]! })),
    { ...options, gradient_scale: 1, step: 1 },
    outcome,
  );
  const actual = valuesOf(all);
  disposeAll(all);
  tf.dispose([...gradients, outcome]);
  return { what: 'nothing changes', actual, expected };
}

function productsAround(): Comparison[] {
  const [parameter, mean, squares] = tf.tidy(() =>
    [tf.tensor2d([1, 2, 3, 4], [2, 2]), tf.zeros([2, 2]), tf.zeros([2, 2])].map((start) => tf.variable(start)),
  ) as [tf.Variable, tf.Variable, tf.Variable];
  const x = tf.eye(2);
  const gradient = tf.tensor2d([1, -1, 2, 0], [2, 2]);
  const before = tf.matMul(x, parameter as unknown as tf.Tensor2D);
  adamW([{ parameter, mean, squares, gradient }], { ...options, step: 1, gradient_scale: 1 });
  const after = tf.matMul(x, parameter as unknown as tf.Tensor2D);
  const comparisons: Comparison[] = [
    { what: 'before', actual: [[...before.dataSync()]], expected: [[1, 2, 3, 4]] },
    {
      what: 'after',
      actual: [[...after.dataSync()]],
      expected: [
        [1, 2, 3, 4].map((value, i) => value * (1 - 0.1 * 0.01) - 0.1 * Math.sign([1, -1, 2, 0][i] as number)),
      ],
    },
  ];
  tf.dispose([parameter, mean, squares, x, gradient, before, after]);
  return comparisons;
}
