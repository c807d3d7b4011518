import type { HostArray, HostKernel } from './kernel.ts';
import { rowWidth } from './kernel.ts';
import { expNegative } from './fast-exp.ts';
import { ignoredLabel } from './ignored-label.ts';
import { mix32 } from '../core/mix32.ts';

/**
 * Our kernels as plain loops over typed arrays. V8 compiles them well; what they save over tfjs's own ops is a pass
 * over memory, a temporary and a dispatch each.
 */
export const hostKernels: readonly HostKernel[] = [
  {
    name: 'RpBiasGelu',
    inputs: ['x', 'bias'],
    outputs: ([x]) => [{ shape: [...(x ?? [])], dtype: 'float32' }],
    run: ([x, bias], [y]) => biasGelu(x as Float32Array, bias as Float32Array, y as Float32Array),
  },
  {
    name: 'RpBiasGeluGrad',
    inputs: ['dy', 'x', 'bias'],
    outputs: ([dy, , bias]) => [
      { shape: [...(dy ?? [])], dtype: 'float32' },
      { shape: [...(bias ?? [])], dtype: 'float32' },
    ],
    run: ([dy, x, bias], [dx, dBias]) => {
      biasGeluGrad(dy as Float32Array, x as Float32Array, bias as Float32Array, dx as Float32Array);
      columnSum(dx as Float32Array, dBias as Float32Array);
    },
  },
  {
    name: 'RpLayerNorm',
    inputs: ['x', 'weight', 'bias'],
    outputs: ([x]) => {
      const rows = [(x ?? []).slice(0, -1).reduce((a, b) => a * b, 1)];
      return [
        { shape: [...(x ?? [])], dtype: 'float32' },
        { shape: rows, dtype: 'float32' },
        { shape: rows, dtype: 'float32' },
      ];
    },
    run: (inputs, outputs, attrs, shapes) =>
      layerNorm(inputs, outputs, attrs.epsilon ?? 1e-5, rowWidth(shapes[0] ?? [])),
  },
  {
    name: 'RpLayerNormGrad',
    inputs: ['dy', 'x', 'weight', 'mean', 'rstd'],
    outputs: ([dy, , weight]) => [
      { shape: [...(dy ?? [])], dtype: 'float32' },
      { shape: [...(weight ?? [])], dtype: 'float32' },
      { shape: [...(weight ?? [])], dtype: 'float32' },
    ],
    run: (inputs, outputs, _, shapes) => layerNormGrad(inputs, outputs, rowWidth(shapes[0] ?? [])),
  },
  {
    name: 'RpDropout',
    inputs: ['x'],
    outputs: ([x]) => [{ shape: [...(x ?? [])], dtype: 'float32' }],
    run: ([x], [y], attrs) => dropout(x as Float32Array, y as Float32Array, attrs.rate ?? 0, attrs.key ?? 0),
  },
  {
    name: 'RpEmbedding',
    inputs: ['table', 'ids'],
    outputs: ([table, ids]) => [{ shape: [...(ids ?? []), rowWidth(table ?? [])], dtype: 'float32' }],
    run: ([table, ids], [y], _, shapes) =>
      gatherRows(table as Float32Array, ids as Int32Array, y as Float32Array, rowWidth(shapes[0] ?? [])),
  },
  {
    name: 'RpEmbeddingGrad',
    inputs: ['dy', 'ids'],
    outputs: ([dy], attrs) => [{ shape: [attrs.rows ?? 0, rowWidth(dy ?? [])], dtype: 'float32' }],
    run: ([dy, ids], [dTable], _, shapes) =>
      scatterRows(dy as Float32Array, ids as Int32Array, dTable as Float32Array, rowWidth(shapes[0] ?? [])),
  },
  {
    name: 'RpCrossEntropy',
    inputs: ['logits', 'labels'],
    outputs: ([logits]) => [
      { shape: [], dtype: 'float32' },
      { shape: [...(logits ?? [])], dtype: 'float32' },
    ],
    run: (inputs, outputs, attrs, shapes) =>
      crossEntropy(inputs, outputs, attrs.divisor ?? 1, rowWidth(shapes[0] ?? [])),
  },
  {
    name: 'RpCrossEntropyGrad',
    inputs: ['dy', 'probabilities', 'labels'],
    outputs: ([, p]) => [{ shape: [...(p ?? [])], dtype: 'float32' }],
    run: (inputs, outputs, attrs, shapes) =>
      crossEntropyGrad(inputs, outputs, attrs.divisor ?? 1, rowWidth(shapes[1] ?? [])),
  },
  {
    name: 'RpLabelScores',
    inputs: ['logits', 'labels'],
    outputs: ([logits]) => [{ shape: [logits?.[0] ?? 0, 3], dtype: 'float32' }],
    run: ([logits, labels], [scores], _, shapes) =>
      labelScores(logits as Float32Array, labels as Int32Array, scores as Float32Array, rowWidth(shapes[0] ?? [])),
  },
  {
    name: 'RpSoftmaxGrad',
    inputs: ['dy', 'y'],
    outputs: ([dy]) => [{ shape: [...(dy ?? [])], dtype: 'float32' }],
    run: ([dy, y], [dx], attrs, shapes) =>
      softmaxGrad(
        dy as Float32Array,
        y as Float32Array,
        dx as Float32Array,
        attrs.scale ?? 1,
        rowWidth(shapes[0] ?? []),
      ),
  },
  {
    name: 'RpColumnSum',
    inputs: ['x'],
    outputs: ([x]) => [{ shape: [rowWidth(x ?? [])], dtype: 'float32' }],
    run: ([x], [y]) => columnSum(x as Float32Array, y as Float32Array),
  },
  {
    name: 'RpGlobalNorm',
    inputs: 'list',
    outputs: () => [{ shape: [], dtype: 'float32' }],
    run: (inputs, [norm]) => globalNorm(inputs, norm as Float32Array),
  },
  {
    // Four lists, one after the other: parameters, means, squares and gradients.
    name: 'RpAdamW',
    inputs: 'list',
    inPlace: true,
    outputs: () => [],
    run: (inputs, _, attrs) => {
      const count = inputs.length / 4;
      for (let i = 0; i < count; i++)
        adamW(
          [0, 1, 2, 3].map((part) => inputs[part * count + i] as HostArray),
          attrs,
        );
    },
  },
];

/**
 * Φ(x)'s erf by Abramowitz and Stegun 7.1.26: |error| ≤ 1.5e-7, one exponential, and that exponential is also the one
 * that the normal density of the gradient needs.
 */
function biasGelu(x: Float32Array, bias: Float32Array, y: Float32Array): void {
  for (let start = 0; start < x.length; start += bias.length)
    for (let column = 0; column < bias.length; column++) {
      const i = start + column;
      const value = (x[i] as number) + (bias[column] as number);
      const z = Math.abs(value) * Math.SQRT1_2;
      const t = 1 / (1 + 0.3275911 * z);
      const tail =
        ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) *
        t *
        expNegative(z * z);
      y[i] = value > 0 ? value * (1 - 0.5 * tail) : value * 0.5 * tail;
    }
}

function biasGeluGrad(dy: Float32Array, x: Float32Array, bias: Float32Array, dx: Float32Array): void {
  for (let start = 0; start < x.length; start += bias.length)
    for (let column = 0; column < bias.length; column++) {
      const i = start + column;
      const value = (x[i] as number) + (bias[column] as number);
      const z = Math.abs(value) * Math.SQRT1_2;
      const t = 1 / (1 + 0.3275911 * z);
      const gauss = expNegative(z * z);
      const tail =
        ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t * gauss;
      const cdf = value > 0 ? 1 - 0.5 * tail : 0.5 * tail;
      dx[i] = (dy[i] as number) * (cdf + value * 0.3989422804014327 * gauss);
    }
}

function layerNorm(inputs: readonly HostArray[], outputs: readonly HostArray[], epsilon: number, width: number): void {
  const [x, weight, bias] = inputs as [Float32Array, Float32Array, Float32Array];
  const [y, means, rstds] = outputs as [Float32Array, Float32Array, Float32Array];
  for (let row = 0, start = 0; row < means.length; row++, start += width) {
    let sum = 0;
    for (let i = start; i < start + width; i++) sum += x[i] as number;
    const mean = sum / width;
    let squares = 0;
    for (let i = start; i < start + width; i++) {
      const centered = (x[i] as number) - mean;
      squares += centered * centered;
    }
    const rstd = 1 / Math.sqrt(squares / width + epsilon);
    means[row] = mean;
    rstds[row] = rstd;
    for (let i = 0; i < width; i++)
      y[start + i] = ((x[start + i] as number) - mean) * rstd * (weight[i] as number) + (bias[i] as number);
  }
}

function layerNormGrad(inputs: readonly HostArray[], outputs: readonly HostArray[], width: number): void {
  const [dy, x, weight, means, rstds] = inputs as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [dx, dWeight, dBias] = outputs as [Float32Array, Float32Array, Float32Array];
  dWeight.fill(0);
  dBias.fill(0);
  for (let row = 0, start = 0; row < means.length; row++, start += width) {
    const mean = means[row] as number;
    const rstd = rstds[row] as number;
    let sum = 0;
    let dot = 0;
    for (let i = 0; i < width; i++) {
      const slope = dy[start + i] as number;
      const normal = ((x[start + i] as number) - mean) * rstd;
      const weighted = slope * (weight[i] as number);
      sum += weighted;
      dot += weighted * normal;
      dWeight[i] = (dWeight[i] as number) + slope * normal;
      dBias[i] = (dBias[i] as number) + slope;
    }
    sum /= width;
    dot /= width;
    for (let i = 0; i < width; i++) {
      const normal = ((x[start + i] as number) - mean) * rstd;
      dx[start + i] = ((dy[start + i] as number) * (weight[i] as number) - sum - normal * dot) * rstd;
    }
  }
}

/**
 * Without a branch, which would be mispredicted once in every 1/rate elements: the sign of a difference says what
 * stays.
 */
function dropout(x: Float32Array, y: Float32Array, rate: number, key: number): void {
  const threshold = Math.round(rate * 0x80000000);
  const scale = 1 / (1 - rate);
  for (let i = 0; i < x.length; i++) {
    const dropped = ((mix32(Math.imul(i, 0x9e3779b1) ^ key) >>> 1) - threshold) >> 31;
    y[i] = (x[i] as number) * (scale * (1 + dropped));
  }
}

function gatherRows(table: Float32Array, ids: Int32Array, y: Float32Array, width: number): void {
  for (let row = 0; row < ids.length; row++) {
    const from = (ids[row] as number) * width;
    y.set(table.subarray(from, from + width), row * width);
  }
}

function scatterRows(dy: Float32Array, ids: Int32Array, dTable: Float32Array, width: number): void {
  dTable.fill(0);
  for (let row = 0, from = 0; row < ids.length; row++, from += width) {
    const to = (ids[row] as number) * width;
    for (let i = 0; i < width; i++) dTable[to + i] = (dTable[to + i] as number) + (dy[from + i] as number);
  }
}

function crossEntropy(
  inputs: readonly HostArray[],
  outputs: readonly HostArray[],
  divisor: number,
  width: number,
): void {
  const [logits, labels] = inputs as [Float32Array, Int32Array];
  const [loss, probabilities] = outputs as [Float32Array, Float32Array];
  let total = 0;
  for (let row = 0, start = 0; row < labels.length; row++, start += width) {
    const end = start + width;
    let max = -Infinity;
    for (let i = start; i < end; i++) if ((logits[i] as number) > max) max = logits[i] as number;
    let sum = 0;
    for (let i = start; i < end; i++) {
      const power = expNegative(max - (logits[i] as number));
      probabilities[i] = power;
      sum += power;
    }
    const scale = 1 / sum;
    for (let i = start; i < end; i++) probabilities[i] = (probabilities[i] as number) * scale;
    const label = labels[row] as number;
    if (label !== ignoredLabel) total += Math.log(sum) + max - (logits[start + label] as number);
  }
  loss[0] = total / divisor;
}

function crossEntropyGrad(
  inputs: readonly HostArray[],
  outputs: readonly HostArray[],
  divisor: number,
  width: number,
): void {
  const [dy, probabilities, labels] = inputs as [Float32Array, Float32Array, Int32Array];
  const [dLogits] = outputs as [Float32Array];
  const scale = (dy[0] as number) / divisor;
  for (let row = 0, start = 0; row < labels.length; row++, start += width) {
    const label = labels[row] as number;
    if (label === ignoredLabel) {
      dLogits.fill(0, start, start + width);
      continue;
    }
    for (let i = start; i < start + width; i++) dLogits[i] = (probabilities[i] as number) * scale;
    dLogits[start + label] = (dLogits[start + label] as number) - scale;
  }
}

function labelScores(logits: Float32Array, labels: Int32Array, scores: Float32Array, width: number): void {
  for (let row = 0, start = 0; row < labels.length; row++, start += width) {
    const end = start + width;
    let best = start;
    for (let i = start + 1; i < end; i++) if ((logits[i] as number) > (logits[best] as number)) best = i;
    const max = logits[best] as number;
    let sum = 0;
    for (let i = start; i < end; i++) sum += expNegative(max - (logits[i] as number));
    scores[3 * row] = Math.log(sum) + max;
    scores[3 * row + 1] = logits[start + Math.max(0, labels[row] as number)] as number;
    scores[3 * row + 2] = best - start;
  }
}

function softmaxGrad(dy: Float32Array, y: Float32Array, dx: Float32Array, scale: number, width: number): void {
  for (let start = 0; start < y.length; start += width) {
    let dot = 0;
    for (let i = start; i < start + width; i++) dot += (dy[i] as number) * (y[i] as number);
    for (let i = start; i < start + width; i++) dx[i] = ((dy[i] as number) - dot) * (y[i] as number) * scale;
  }
}

/** Four rows at a time, for a quarter of the stores; in doubles. */
function columnSum(x: Float32Array, y: Float32Array): void {
  const width = y.length;
  const sums = new Float64Array(width);
  let start = 0;
  for (; start + 4 * width <= x.length; start += 4 * width) {
    const [second, third, fourth] = [start + width, start + 2 * width, start + 3 * width];
    for (let i = 0; i < width; i++)
      sums[i] =
        (sums[i] as number) +
        ((x[start + i] as number) + (x[second + i] as number)) +
        ((x[third + i] as number) + (x[fourth + i] as number));
  }
  for (; start < x.length; start += width)
    for (let i = 0; i < width; i++) sums[i] = (sums[i] as number) + (x[start + i] as number);
  y.set(sums);
}

/** Summed in doubles: a float32 sum of squares would lose the small ones of a large model. */
function globalNorm(inputs: readonly HostArray[], norm: Float32Array): void {
  let total = 0;
  for (const values of inputs)
    for (let i = 0; i < values.length; i++) total += (values[i] as number) * (values[i] as number);
  norm[0] = Math.sqrt(total);
}

/** Loshchilov and Hutter's decoupled decay, in the order PyTorch's AdamW does it. */
function adamW(inputs: readonly HostArray[], attrs: Readonly<Record<string, number>>): void {
  const [parameter, mean, square, gradient] = inputs as [Float32Array, Float32Array, Float32Array, Float32Array];
  const {
    learning_rate = 0,
    beta1 = 0.9,
    beta2 = 0.98,
    epsilon = 1e-6,
    weight_decay = 0,
    step = 1,
    gradient_scale = 1,
  } = attrs;
  const stepSize = learning_rate / (1 - beta1 ** step);
  const rootCorrection = Math.sqrt(1 - beta2 ** step);
  const keep = 1 - learning_rate * weight_decay;
  for (let i = 0; i < parameter.length; i++) {
    const slope = (gradient[i] as number) * gradient_scale;
    const m = beta1 * (mean[i] as number) + (1 - beta1) * slope;
    const v = beta2 * (square[i] as number) + (1 - beta2) * slope * slope;
    mean[i] = m;
    square[i] = v;
    parameter[i] = (parameter[i] as number) * keep - (stepSize * m) / (Math.sqrt(v) / rootCorrection + epsilon);
  }
}
