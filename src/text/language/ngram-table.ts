import { mix32 } from '../../core/mix32.ts';

/** Symbols of the longest n-grams: four bytes with a space before and behind. */
export const longestNGram = 6;

/**
 * The languages in which an n-gram occurs, with scores: a hash table with open addressing in typed arrays. An n-gram's
 * symbols are non-zero bytes; the first four are one number (`low`) and the others another (`high`).
 */
export class NGramTable {
  /**
   * Three numbers per slot: `low`; `high` with the count of pairs above it; the index of the first pair. An empty slot
   * has no pairs; at least one is empty, because otherwise a search would not end. There are 2^n of them.
   */
  readonly slots: Uint32Array;
  /** Language in the lower byte, score in the upper. */
  readonly pairs: Uint16Array;
  private readonly mask: number;

  constructor(slots: Uint32Array, pairs: Uint16Array) {
    this.slots = slots;
    this.pairs = pairs;
    this.mask = slots.length / 3 - 1;
  }

  /** Add each language's score for an n-gram, plus `base`, to its total. */
  addTo(totals: Float64Array, base: number, low: number, high: number): void {
    const { slots, pairs, mask } = this;
    for (let slot = hashOf(low, high) & mask; ; slot = (slot + 1) & mask) {
      const second = slots[slot * 3 + 1]!;
      if (second === 0) return;
      if (slots[slot * 3] !== low || (second & 0xffff) !== high) continue;
      const from = slots[slot * 3 + 2]!;
      for (let at = from, end = from + (second >>> 16); at < end; at++)
        totals[pairs[at]! & 0xff]! += (pairs[at]! >> 8) + base;
      return;
    }
  }
}

export function hashOf(low: number, high: number): number {
  return mix32(low ^ Math.imul(high, 0x9e3779b1));
}

/** First four symbols of an n-gram; none is 0, so shorter ones differ from all others. */
export function lowOf(symbols: Uint8Array, from: number, to: number): number {
  let low = 0;
  for (let at = Math.min(from + 4, to) - 1; at >= from; at--) low = (low << 8) | symbols[at]!;
  return low >>> 0;
}

export function highOf(symbols: Uint8Array, from: number, to: number): number {
  const length = to - from;
  return length <= 4 ? 0 : length === 5 ? symbols[from + 4]! : symbols[from + 4]! | (symbols[from + 5]! << 8);
}
