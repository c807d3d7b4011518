import type { Argument, Handle } from './addon.ts';
import { aten, ours, scalar, type Op } from './aten.ts';
import type { KernelCall } from './kernel-call.ts';

type Call = KernelCall<unknown>;
type OnGpu = (k: Call, args: readonly Argument[]) => unknown;

/** Those of our own operators that are kernels of `native/kernels.cu` on a GPU, called as they are on the CPU. */
export const gpuOperators: { has(op: unknown): boolean; get(op: unknown): OnGpu | undefined } = new Map<unknown, OnGpu>([
  on(ours.dropout, (k, x, rate, key) => {
    const [from, to] = like(k, x);
    const shape = k.shapeOf(x);
    const { suffix, pack } = packs(k, from, shape.length < 2 ? 1 : (shape.at(-1) as number));
    const count = elements(shape) / pack;
    k.launch(`dropout_${suffix}`, loop(count), [256, 1], 'ppiiif', from, to, count, ...choice(rate, key));
    return to;
  }),
  on(ours.bias_gelu, (k, x, bias) => {
    const [from, to] = like(k, x);
    const [rows, width] = matrix(k, x);
    const { suffix, pack } = packs(k, from, width);
    const count = (rows * width) / pack;
    k.launch(`bias_gelu_${suffix}`, loop(count), [256, 1], 'pppii', from, k.call(aten.contiguous, bias), to, count, width);
    return to;
  }),
  on(ours.bias_gelu_backward, (k, dy, x, bias) => {
    const [from, dx] = like(k, x);
    const [rows, width] = matrix(k, x);
    const { suffix, pack } = packs(k, from, width);
    const [grid, sums] = tiles(k, rows, width, pack, 1);
    k.launch(`bias_gelu_backward_${suffix}`, grid, [32, 8], 'pppppii', k.call(aten.contiguous, dy), from, k.call(aten.contiguous, bias), dx, sums, rows, width);
    return [dx, k.call(aten.sum, sums, [0], false)];
  }),
  on(ours.residual_norm, (k, x, bias, residual, weight, shift, epsilon, rate, key) => {
    const [from, y] = like(k, x);
    const sum = k.call(aten.empty_like, from);
    const [rows, width] = matrix(k, x);
    const { suffix } = packs(k, from, width);
    const [mean, rstd] = [vector(k, rows), vector(k, rows)];
    const [b, rest, gain, beta] = [bias, residual, weight, shift].map((each) => k.call(aten.contiguous, each)) as [Handle, Handle, Handle, Handle];
    k.launch(`residual_norm_${suffix}`, [Math.ceil(rows / 4), 1], [32, 4], 'pppppppppiifiif', from, b, rest, gain, beta, y, sum, mean, rstd, rows, width, epsilon, ...choice(rate, key));
    return [y, sum, mean, rstd];
  }),
  on(ours.residual_norm_backward, (k, dy, sum, mean, rstd, weight, rate, key) => {
    const [slopes, dx] = like(k, dy);
    const dResidual = k.call(aten.empty_like, slopes);
    const [rows, width] = matrix(k, dy);
    const { suffix, pack } = packs(k, slopes, width);
    const [values, means, rstds, gain] = [sum, mean, rstd, weight].map((each) => k.call(aten.contiguous, each)) as [Handle, Handle, Handle, Handle];
    k.launch(`residual_norm_backward_${suffix}`, [Math.ceil(rows / 4), 1], [32, 4], 'pppppppiiiif', slopes, values, means, rstds, gain, dx, dResidual, rows, width, ...choice(rate, key));
    const [grid, sums] = tiles(k, rows, width, pack, 3);
    k.launch(`residual_norm_columns_${suffix}`, grid, [32, 8], 'ppppppii', slopes, values, means, rstds, dx, sums, rows, width);
    const [dBias, dWeight, dShift] = k.call(aten.split, k.call(aten.sum, sums, [0], false), [width, width, width], 0) as [Handle, Handle, Handle];
    return [dx, dBias, dResidual, dWeight, dShift];
  }),
]);

function on<Args extends readonly Argument[], Result>(op: Op<Args, Result>, run: (k: Call, ...args: Args) => Result): [unknown, OnGpu] {
  return [op, (k, args) => run(k, ...(args as unknown as Args))];
}

/** The tensor by rows, and one like it for the result. */
function like(k: Call, x: Handle): [from: Handle, to: Handle] {
  const from = k.call(aten.contiguous, x);
  return [from, k.call(aten.empty_like, from)];
}

function vector(k: Call, size: number): Handle {
  return k.call(aten.empty, [size], scalar.float32, null, k.backend.device);
}

function matrix(k: Call, x: Handle): [rows: number, width: number] {
  const [rows = 0, width = 0] = k.shapeOf(x);
  elements([rows, width]);
  return [rows, width];
}

/** How many elements a thread takes at once, 16 bytes where rows are made of such, and the ending of the names of kernels that do. */
function packs(k: Call, x: Handle, width: number): { suffix: string; pack: number } {
  const type = k.backend.addon.info(x)[0];
  if (type !== scalar.float32 && type !== scalar.bfloat16) throw new TypeError('activations are float32 or bfloat16');
  const [letter, most] = type === scalar.float32 ? ['f', 4] : ['b', 8];
  const pack = width % most === 0 ? most : 1;
  return { suffix: `${letter}${pack}`, pack };
}

/** Kernels count in 32 bits. */
function elements(shape: readonly number[]): number {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count >= 2 ** 31) throw new RangeError(`${count} elements are too many for one kernel`);
  return count;
}

/** Blocks for a loop in which each thread takes every so manieth pack: enough to fill any GPU of today. */
function loop(count: number): [number, number] {
  return [Math.max(1, Math.min(Math.ceil(count / 256), 132 * 16)), 1];
}

/** Blocks of 32 × 8 threads over a matrix, and what their column sums go to: a row for each share of the rows. */
function tiles(k: Call, rows: number, width: number, pack: number, sums: number): [grid: [number, number], sums: Handle] {
  const columns = Math.ceil(width / (32 * pack));
  const shares = Math.max(1, Math.min(Math.ceil(rows / 64), Math.ceil(1056 / columns)));
  return [[columns, shares], k.call(aten.empty, [shares, sums * width], scalar.float32, null, k.backend.device)];
}

/** What dropout's choice takes: key, threshold and scale, as `native/elements.h` has them. */
function choice(rate: number, key: number): [number, number, number] {
  return [key | 0, Math.floor(rate * 2 ** 31 + 0.5) | 0, 1 / (1 - rate)];
}
