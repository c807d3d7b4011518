import { mix } from '../random.ts';

/** Symbols of the longest n-grams: four bytes with a space before and behind. */
export const longestNGram = 6;

/**
 * What languages an n-gram occurs in, and how tellingly: a hash table with open addressing in typed arrays. An n-gram's
 * symbols are bytes, none of them 0, and it goes by the first four as one number (`low`) and the others as another
 * (`high`).
 */
export class NGramTable {
  /**
   * Three numbers a slot: `low`; `high` with the count of pairs above it; where the pairs begin. An empty slot has no
   * pairs.
   */
  private readonly slots: Uint32Array;
  private readonly mask: number;
  private pairs: Uint16Array;
  private pairCount = 0;
  private size = 0;

  /** @param bits twice as many slots (2^bits) as n-grams, or more */
  constructor(bits: number) {
    this.slots = new Uint32Array(3 << bits);
    this.mask = (1 << bits) - 1;
    this.pairs = new Uint16Array(1 << bits);
  }

  /** Put an n-gram in that is not there: `count` pairs, language in the lower byte, score in the upper. */
  set(low: number, high: number, pairs: Uint16Array, count: number): void {
    // one stays empty, or a search would not end
    if (this.size++ === this.mask) throw new RangeError(`more n-grams than ${this.mask} slots are for`);
    let slot = hashOf(low, high) & this.mask;
    while (this.slots[slot * 3 + 1] !== 0) slot = (slot + 1) & this.mask;
    this.slots.set([low, high | (count << 16), this.pairCount], slot * 3);
    if (this.pairCount + count > this.pairs.length) {
      const longer = new Uint16Array(this.pairs.length * 2);
      longer.set(this.pairs);
      this.pairs = longer;
    }
    for (let pair = 0; pair < count; pair++) this.pairs[this.pairCount++] = pairs[pair]!;
  }

  /** Add each language's score for an n-gram, and `base` besides, to its total. */
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
  return mix(low ^ Math.imul(high, 0x9e3779b1));
}

/** First four symbols of an n-gram; none is 0, so that shorter ones differ from all others. */
export function lowOf(symbols: Uint8Array, from: number, to: number): number {
  let low = 0;
  for (let at = Math.min(from + 4, to) - 1; at >= from; at--) low = (low << 8) | symbols[at]!;
  return low >>> 0;
}

export function highOf(symbols: Uint8Array, from: number, to: number): number {
  const length = to - from;
  return length <= 4 ? 0 : length === 5 ? symbols[from + 4]! : symbols[from + 4]! | (symbols[from + 5]! << 8);
}
