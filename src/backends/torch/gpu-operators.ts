import type { Bridge, Argument, Handle } from './bridge.ts';
import { aten, ours, scalar, type Op, type ScalarType } from './aten.ts';

/** What these need of the kernel call that they are part of; a `KernelCall` has it. */
interface Call {
  readonly backend: { readonly bridge: Pick<Bridge, 'info'>; readonly device: string };
  call<Args extends readonly Argument[], Result>(op: Op<Args, Result>, ...args: Args): Result;
  launch(...args: Parameters<Bridge['launch']>): void;
}
type OnGpu = (k: Call, args: readonly Argument[]) => unknown;

/**
 * Those of our own operators that are kernels of `native/kernels.cu` on a GPU, called as they are on the CPU: with the
 * arguments of the native operators, in their order.
 */
export const gpuOperators: { has(op: unknown): boolean; get(op: unknown): OnGpu | undefined } = new Map<unknown, OnGpu>(
  [
    on(ours.dropout, (k, x, rate, key) => {
      const like = describe(k, x);
      const y = result(k, like);
      const { suffix, pack } = packs(like);
      const count = elements(like.shape) / pack;
      k.launch(`dropout_${suffix}`, loop(count), [256, 1], 'ppiiif', x, y, count, ...choice(rate, key));
      return y;
    }),
    on(ours.bias_gelu, (k, x, bias) => {
      const like = describe(k, x);
      const y = result(k, like);
      const { suffix, pack } = packs(like);
      const count = elements(like.shape) / pack;
      k.launch(`bias_gelu_${suffix}`, loop(count), [256, 1], 'pppii', x, bias, y, count, like.shape.at(-1) as number);
      return y;
    }),
    on(ours.bias_gelu_backward, (k, dy, x, bias) => {
      const like = describe(k, x);
      const dx = result(k, like);
      const [rows, width] = matrix(like);
      const { suffix, pack } = packs(like);
      const [grid, sums] = tiles(k, rows, width, pack, 1);
      k.launch(`bias_gelu_backward_${suffix}`, grid, [32, 8], 'pppppii', dy, x, bias, dx, sums, rows, width);
      return [dx, k.call(aten.sum, sums, [0], false)];
    }),
    on(ours.residual_norm, (k, x, bias, residual, weight, shift, epsilon, rate, key) => {
      const like = describe(k, x);
      const [y, sum] = [result(k, like), result(k, like)];
      const [rows, width] = matrix(like);
      const [mean, rstd] = [vector(k, rows), vector(k, rows)];
      k.launch(
        `residual_norm_${packs(like).suffix}`,
        [Math.ceil(rows / 4), 1],
        [32, 4],
        'pppppppppiifiif',
        x,
        bias,
        residual,
        weight,
        shift,
        y,
        sum,
        mean,
        rstd,
        rows,
        width,
        epsilon,
        ...choice(rate, key),
      );
      return [y, sum, mean, rstd];
    }),
    on(ours.residual_norm_backward, (k, dy, sum, mean, rstd, weight, rate, key) => {
      const like = describe(k, dy);
      const [dx, dResidual] = [result(k, like), result(k, like)];
      const [rows, width] = matrix(like);
      const { suffix, pack } = packs(like);
      k.launch(
        `residual_norm_backward_${suffix}`,
        [Math.ceil(rows / 4), 1],
        [32, 4],
        'pppppppiiiif',
        dy,
        sum,
        mean,
        rstd,
        weight,
        dx,
        dResidual,
        rows,
        width,
        ...choice(rate, key),
      );
      const [grid, sums] = tiles(k, rows, width, pack, 3);
      k.launch(
        `residual_norm_columns_${suffix}`,
        grid,
        [32, 8],
        'ppppppii',
        dy,
        sum,
        mean,
        rstd,
        dx,
        sums,
        rows,
        width,
      );
      const [dBias, dWeight, dShift] = k.call(
        aten.split,
        k.call(aten.sum, sums, [0], false),
        [width, width, width],
        0,
      ) as [Handle, Handle, Handle];
      return [dx, dBias, dResidual, dWeight, dShift];
    }),
  ],
);

function on<Args extends readonly Argument[], Result>(
  op: Op<Args, Result>,
  run: (k: Call, ...args: Args) => Result,
): [unknown, OnGpu] {
  return [op, (k, args) => run(k, ...(args as unknown as Args))];
}

/** An activation's type and shape. */
interface Like {
  readonly type: ScalarType;
  readonly shape: readonly number[];
}

function describe(k: Call, x: Handle): Like {
  const [type, ...shape] = k.backend.bridge.info(x);
  if (type !== scalar.float32 && type !== scalar.bfloat16) throw new TypeError('activations are float32 or bfloat16');
  return { type, shape };
}

function result(k: Call, { type, shape }: Like): Handle {
  return k.call(aten.empty, shape, type, null, k.backend.device);
}

function vector(k: Call, size: number): Handle {
  return result(k, { type: scalar.float32, shape: [size] });
}

function matrix({ shape }: Like): [rows: number, width: number] {
  elements(shape);
  return shape as [number, number];
}

/**
 * How many elements a thread takes at once, 16 bytes where rows are made of such, and the ending of the names of
 * kernels that do.
 */
function packs({ type, shape }: Like): { suffix: string; pack: number } {
  const [letter, most] = type === scalar.float32 ? ['f', 4] : ['b', 8];
  // Only of a vector may a part begin anywhere.
  const pack = shape.length > 1 && (shape.at(-1) as number) % most === 0 ? most : 1;
  return { suffix: `${letter}${pack}`, pack };
}

/** Kernels count in 32 bits. */
function elements(shape: readonly number[]): number {
  const count = shape.reduce((a, b) => a * b, 1);
  if (count >= 2 ** 31) throw new RangeError(`${count} elements are too many for one kernel`);
  return count;
}

/** Blocks for a loop in which each thread strides over packs: enough of them to fill any GPU of today. */
function loop(count: number): [number, number] {
  return [Math.max(1, Math.min(Math.ceil(count / 256), 132 * 16)), 1];
}

/** Blocks of 32 × 8 threads over a matrix, and what their column sums go to: a row for each share of the rows. */
function tiles(
  k: Call,
  rows: number,
  width: number,
  pack: number,
  sums: number,
): [grid: [number, number], sums: Handle] {
  const columns = Math.ceil(width / (32 * pack));
  const shares = Math.max(1, Math.min(Math.ceil(rows / 64), Math.ceil(1056 / columns)));
  return [[columns, shares], result(k, { type: scalar.float32, shape: [shares, sums * width] })];
}

/** What dropout's choice takes: key, threshold and scale, as `native/elements.h` has them. */
function choice(rate: number, key: number): [number, number, number] {
  return [key | 0, Math.floor(rate * 2 ** 31 + 0.5) | 0, 1 / (1 - rate)];
}
