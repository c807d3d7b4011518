import { key32, shuffledIndices } from '../ops/random.ts';

/** A sequence to serve: its number in the data set and how often the data set was served before. */
export interface Sample {
  readonly index: number;
  readonly epoch: number;
}

/**
 * Which sequences each step sees: epoch e is shuffle(seed, e), epochs follow one another without a gap, and step s takes
 * the s-th slice. A function of its arguments, so resuming costs nothing and skips nothing (fairseq's way).
 */
export class DataOrder {
  private readonly count: number;
  private readonly seed: number;
  private readonly epochs = new Map<number, Uint32Array>();

  constructor(count: number, seed: number) {
    this.count = count;
    this.seed = seed;
  }

  /** The samples of a step that takes `size` of them. */
  slice(step: number, size: number): Sample[] {
    return Array.from({ length: size }, (_, i) => {
      const at = step * size + i;
      const epoch = Math.floor(at / this.count);
      return { index: this.order(epoch)[at % this.count] as number, epoch };
    });
  }

  private order(epoch: number): Uint32Array {
    let order = this.epochs.get(epoch);
    if (order === undefined) {
      for (const old of this.epochs.keys()) if (old < epoch - 1) this.epochs.delete(old);
      order = shuffledIndices(this.count, key32('epoch', this.seed, epoch));
      this.epochs.set(epoch, order);
    }
    return order;
  }
}
