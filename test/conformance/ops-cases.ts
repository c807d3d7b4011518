import * as tf from '@tensorflow/tfjs-core';
import {
  attention,
  biasGelu,
  crossEntropy,
  dropout,
  embedding,
  layerNorm,
  linear,
  residualNorm,
  tiedDecoder,
} from '../../src/ops/index.ts';
import { ignoredLabel } from '../../src/ops/ignored-label.ts';
import { fillNormal, key32 } from '../../src/ops/random.ts';

/** An op as a function of tensors to a tensor, with its inputs. */
export interface OpCase {
  readonly name: string;
  readonly inputs: () => tf.Tensor[];
  readonly op: (...x: tf.Tensor[]) => tf.Tensor;
  /** Whether FlashAttention can compute this, whose dropout leaves out other elements than ours does. */
  readonly flashDrops?: boolean;
}

/** Deterministic inputs, the same on every backend. */
export function normal(name: string, shape: number[], deviation = 1): tf.Tensor {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  fillNormal(values, key32(name), deviation);
  return tf.tensor(values, shape);
}

const ids = () => tf.tensor1d([3, 0, 3, 5, 1, 2], 'int32');
const bias = () => tf.tensor3d([0, 0, 0, 0, 0, -1e9], [2, 1, 3]);

export const opCases: readonly OpCase[] = [
  {
    name: 'linear',
    inputs: () => [normal('x', [6, 8]), normal('w', [8, 5]), normal('b', [5])],
    op: (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  {
    name: 'tiedDecoder',
    inputs: () => [normal('x', [6, 8]), normal('w', [5, 8]), normal('b', [5])],
    op: (x, w, b) => tiedDecoder(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  {
    name: 'linear without a bias',
    inputs: () => [normal('x', [6, 8]), normal('w', [8, 5])],
    op: (x, w) => linear(x as tf.Tensor2D, w as tf.Tensor2D),
  },
  {
    name: 'linear of joined weights',
    inputs: () => [normal('x', [6, 8]), normal('w', [8, 5]), normal('v', [8, 3]), normal('b', [5]), normal('c', [3])],
    op: (x, w, v, b, c) =>
      linear(x as tf.Tensor2D, tf.concat([w!, v!], -1) as tf.Tensor2D, tf.concat([b!, c!], -1) as tf.Tensor1D),
  },
  {
    name: 'biasGelu',
    inputs: () => [normal('x', [6, 40], 2), normal('b', [40])],
    op: (x, b) => biasGelu(x as tf.Tensor2D, b as tf.Tensor1D),
  },
  ...[0, 0.3].map((rate) => ({
    name: `residualNorm, dropout ${rate}`,
    inputs: () => [normal('x', [6, 24]), normal('b', [24]), normal('r', [6, 24]), normal('w', [24]), normal('s', [24])],
    op: (...[x, b, r, w, s]: tf.Tensor[]) =>
      residualNorm({
        x: x as tf.Tensor2D,
        bias: b as tf.Tensor1D,
        residual: r as tf.Tensor2D,
        weight: w as tf.Tensor1D,
        shift: s as tf.Tensor1D,
        epsilon: 1e-5,
        rate,
        key: 21,
      }),
  })),
  {
    name: 'layerNorm',
    inputs: () => [normal('x', [6, 8], 3), normal('w', [8]), normal('b', [8])],
    op: (x, w, b) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
  },
  { name: 'dropout', inputs: () => [normal('x', [6, 8])], op: (x) => dropout(x as tf.Tensor, 0.3, 17) },
  { name: 'embedding', inputs: () => [normal('t', [7, 4])], op: (t) => embedding(t as tf.Tensor2D, ids()) },
  {
    name: 'crossEntropy with rows that do not count',
    inputs: () => [normal('x', [6, 7], 3)],
    op: (x) =>
      crossEntropy(x as tf.Tensor2D, tf.tensor1d([3, 0, ignoredLabel, 5, ignoredLabel, ignoredLabel], 'int32'), 9),
  },
  { name: 'crossEntropy', inputs: () => [normal('x', [6, 7], 3)], op: (x) => crossEntropy(x as tf.Tensor2D, ids(), 9) },
  {
    name: 'attention',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, bias(), 0, 0),
  },
  {
    name: 'attention without padding',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, undefined, 0, 0),
  },
  {
    name: 'attention with padding and dropout',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, bias(), 0.2, 5),
  },
  {
    name: 'attention of rows of 16 bytes, with dropout',
    inputs: () => [normal('qkv', [10, 48])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 5, heads: 2 }, undefined, 0.2, 5),
    flashDrops: true,
  },
  {
    name: 'attention with dropout',
    inputs: () => [normal('qkv', [6, 24])],
    op: (x) => attention(x as tf.Tensor2D, { batch: 2, length: 3, heads: 2 }, undefined, 0.2, 5),
  },
];

const [batch, length] = [3, 64];
const rows = batch * length;
const [hidden, intermediate, vocabulary] = [768, 1536, 1001];
const wideBias = () =>
  tf.tensor3d(
    Float32Array.from({ length: rows }, (_, i) => (i % length >= length - 9 * Math.floor(i / length) ? -1e9 : 0)),
    [batch, 1, length],
  );
const weights = (name: string, shape: [number, number]) => normal(name, shape, 1 / Math.sqrt(hidden));

/** As wide as base, where rows are made of 16 bytes and a GPU has several blocks of them to fill. */
export const wideOpCases: readonly OpCase[] = [
  {
    name: 'linear of base',
    inputs: () => [normal('x', [rows, hidden]), weights('w', [hidden, intermediate]), normal('b', [intermediate])],
    op: (x, w, b) => linear(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  {
    name: 'tiedDecoder over a vocabulary that is a multiple of nothing',
    inputs: () => [normal('x', [40, hidden]), weights('w', [vocabulary, hidden]), normal('b', [vocabulary])],
    op: (x, w, b) => tiedDecoder(x as tf.Tensor2D, w as tf.Tensor2D, b as tf.Tensor1D),
  },
  {
    name: 'biasGelu of base',
    inputs: () => [normal('x', [rows, intermediate]), normal('b', [intermediate])],
    op: (x, b) => biasGelu(x as tf.Tensor2D, b as tf.Tensor1D),
  },
  {
    name: 'residualNorm of base, with dropout',
    inputs: () => [
      normal('x', [rows, hidden]),
      normal('b', [hidden]),
      normal('r', [rows, hidden]),
      normal('w', [hidden]),
      normal('s', [hidden]),
    ],
    op: (...[x, b, r, w, s]: tf.Tensor[]) =>
      residualNorm({
        x: x as tf.Tensor2D,
        bias: b as tf.Tensor1D,
        residual: r as tf.Tensor2D,
        weight: w as tf.Tensor1D,
        shift: s as tf.Tensor1D,
        epsilon: 1e-5,
        rate: 0.1,
        key: 21,
      }),
  },
  {
    name: 'layerNorm of base',
    inputs: () => [normal('x', [rows, hidden], 3), normal('w', [hidden]), normal('b', [hidden])],
    op: (x, w, b) => layerNorm(x as tf.Tensor2D, w as tf.Tensor1D, b as tf.Tensor1D, 1e-5),
  },
  {
    name: 'dropout of base',
    inputs: () => [normal('x', [rows, hidden])],
    op: (x) => dropout(x as tf.Tensor, 0.1, 17),
  },
  {
    name: 'embedding of base, some ids many times',
    inputs: () => [normal('t', [vocabulary, hidden])],
    op: (t) =>
      embedding(
        t as tf.Tensor2D,
        tf.tensor1d(
          Int32Array.from({ length: rows }, (_, i) => (i % 3 === 0 ? 5 : (i * 97) % vocabulary)),
          'int32',
        ),
      ),
  },
  {
    name: 'crossEntropy over a vocabulary',
    inputs: () => [normal('x', [40, vocabulary], 3)],
    op: (x) =>
      crossEntropy(
        x as tf.Tensor2D,
        tf.tensor1d(
          Int32Array.from({ length: 40 }, (_, i) => (i % 7 === 0 ? ignoredLabel : (i * 89) % vocabulary)),
          'int32',
        ),
        34,
      ),
  },
  {
    name: 'attention of base',
    inputs: () => [normal('qkv', [rows, 3 * hidden])],
    op: (x) => attention(x as tf.Tensor2D, { batch, length, heads: 12 }, undefined, 0, 0),
  },
  {
    name: 'attention of base with padding and dropout',
    inputs: () => [normal('qkv', [rows, 3 * hidden])],
    op: (x) => attention(x as tf.Tensor2D, { batch, length, heads: 12 }, wideBias(), 0.1, 5),
  },
];
