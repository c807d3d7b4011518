import * as tf from '@tensorflow/tfjs-core';
import { attention } from '../../src/ops/index.ts';
import { tidied, valueAndGradients } from './ops-compare.ts';
import type { Comparison } from './ops-by-definition.ts';
import { normal } from './ops-cases.ts';

const [rate, key] = [0.2, 5];
/** No longer than a head is wide, see `keptBy`. */
const shapes = [
  { batch: 2, length: 5, heads: 2, width: 8 },
  { batch: 2, length: 64, heads: 4, width: 64 },
];
type Shape = (typeof shapes)[number];

/**
 * FlashAttention draws from a GPU's own generator which probabilities it drops, so its results are not those of
 * other backends. Here they are compared with attention by its definition, given what was dropped, and so is its
 * gradient, which has to drop the same.
 */
export function flashDropout(): Comparison[] {
  return tidied(() =>
    shapes.flatMap((shape) => {
      const inputs = () => [normal('qkv', [shape.batch * shape.length, 3 * shape.heads * shape.width])];
      const op = (x: tf.Tensor) => attention(x as tf.Tensor2D, shape, undefined, rate, key);
      const qkv = inputs()[0]!.dataSync() as Float32Array;
      const kept = keptBy(op, shape, qkv);
      const [value, gradient] = valueAndGradients({ name: 'attention', inputs, op }) as [Float32Array, Float32Array];
      const dy = normal('dy', [value.length]).dataSync() as Float32Array;
      const expected = attend(shape, qkv, dy, kept);
      const dropped = kept.filter((each) => each === 0).length / kept.length;
      // Four standard deviations.
      const expectedShare = 4 * Math.sqrt((rate * (1 - rate)) / kept.length);
      const name = `${shape.length} tokens, heads of ${shape.width}`;
      return [
        { what: `${name}: value`, actual: [value], expected: [expected.value] },
        { what: `${name}: gradient`, actual: [gradient], expected: [expected.gradient] },
        {
          what: `${name}: ${(100 * dropped).toFixed(1)}% dropped of ${100 * rate}%`,
          actual: [[Math.abs(dropped - rate) < expectedShare ? 1 : 0]],
          expected: [[1]],
        },
      ];
    }),
  );
}

/** 0 or 1 for each head, query and key: with values that name their tokens, results are the probabilities left. */
function keptBy(op: (x: tf.Tensor) => tf.Tensor, shape: Shape, qkv: Float32Array): Uint8Array {
  const { batch, length, heads, width } = shape;
  const named = qkv.slice();
  each(shape, (n, h, j) => {
    for (let c = 0; c < width; c++) named[placeOf(shape, n, j, 2, h) + c] = c === j ? 1 : 0;
  });
  const out = op(tf.tensor2d(named, [batch * length, 3 * heads * width])).dataSync();
  const kept = new Uint8Array(batch * heads * length * length);
  each(shape, (n, h, i) => {
    for (let j = 0; j < length; j++)
      kept[((n * heads + h) * length + i) * length + j] = (out[resultOf(shape, n, i, h) + j] as number) > 0 ? 1 : 0;
  });
  return kept;
}

function attend(
  shape: Shape,
  qkv: Float32Array,
  dy: Float32Array,
  kept: Uint8Array,
): { value: Float64Array; gradient: Float64Array } {
  const { length, heads, width } = shape;
  const value = new Float64Array(dy.length);
  const gradient = new Float64Array(qkv.length);
  const scale = 1 / Math.sqrt(width);
  const dot = (a: Float32Array, at: number, b: Float32Array, to: number) => {
    let sum = 0;
    for (let c = 0; c < width; c++) sum += (a[at + c] as number) * (b[to + c] as number);
    return sum;
  };
  const addTo = (into: Float64Array, at: number, factor: number, from: Float32Array, to: number) => {
    for (let c = 0; c < width; c++) into[at + c] = (into[at + c] as number) + factor * (from[to + c] as number);
  };
  each(shape, (n, h, i) => {
    const [query, result] = [placeOf(shape, n, i, 0, h), resultOf(shape, n, i, h)];
    const keyOf = (j: number) => placeOf(shape, n, j, 1, h);
    const valueOf = (j: number) => placeOf(shape, n, j, 2, h);
    const tokens = Array.from({ length }, (_, j) => j);
    const exponents = tokens.map((j) => Math.exp(dot(qkv, query, qkv, keyOf(j)) * scale));
    const total = exponents.reduce((a, b) => a + b, 0);
    const probabilities = exponents.map((exponent) => exponent / total);
    const factors = tokens.map((j) => (kept[((n * heads + h) * length + i) * length + j] as number) / (1 - rate));
    const slopes = tokens.map((j) => factors[j]! * dot(dy, result, qkv, valueOf(j)));
    const mean = slopes.reduce((sum, slope, j) => sum + slope * probabilities[j]!, 0);
    for (const j of tokens) {
      const slope = probabilities[j]! * (slopes[j]! - mean) * scale;
      addTo(value, result, probabilities[j]! * factors[j]!, qkv, valueOf(j));
      addTo(gradient, query, slope, qkv, keyOf(j));
      addTo(gradient, keyOf(j), slope, qkv, query);
      addTo(gradient, valueOf(j), probabilities[j]! * factors[j]!, dy, result);
    }
  });
  return { value, gradient };
}

function each({ batch, length, heads }: Shape, use: (n: number, head: number, token: number) => void): void {
  for (let n = 0; n < batch; n++) for (let h = 0; h < heads; h++) for (let i = 0; i < length; i++) use(n, h, i);
}

/** Where a token's query (part 0), key or value of a head begins. */
function placeOf({ length, heads, width }: Shape, n: number, token: number, part: number, head: number): number {
  return (((n * length + token) * 3 + part) * heads + head) * width;
}

function resultOf({ length, heads, width }: Shape, n: number, token: number, head: number): number {
  return ((n * length + token) * heads + head) * width;
}
