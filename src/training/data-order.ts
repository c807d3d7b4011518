import { key32, permuted } from '../ops/random.ts';

/** A sequence to serve: its number in the data set, and how often the data set was served before. */
export interface Sample {
  readonly index: number;
  readonly epoch: number;
}

/**
 * The samples of a step that takes `size` of `count`. With a seed, epoch e is permuted by (seed, e) and epochs follow
 * one another without a gap; step s takes the s-th slice. A pure function of its arguments, so resuming costs nothing
 * and skips nothing (as in fairseq), and the order is never stored as a list. Without a seed, samples come once, in
 * order.
 */
export function samplesOf(step: number, size: number, count: number, seed?: number): Sample[] {
  const start = step * size;
  if (seed === undefined)
    return Array.from({ length: Math.max(0, Math.min(size, count - start)) }, (_, i) => ({
      index: start + i,
      epoch: 0,
    }));
  return Array.from({ length: size }, (_, i) => {
    const epoch = Math.floor((start + i) / count);
    return { index: permuted((start + i) % count, count, key32('epoch', seed, epoch)), epoch };
  });
}
