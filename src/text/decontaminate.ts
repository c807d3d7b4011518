import { mix } from './random.ts';
import { WordHashes } from './word-hashes.ts';

/**
 * The n-grams of words of evaluation sets, to find documents that contain one. Words are compared without case,
 * punctuation and diacritics and with digits as 0. An n-gram is known by 53 bits of hash: with a million of them, one in
 * ten thousand million positions of a corpus is taken for one by mistake.
 */
export class EvaluationNGrams {
  private readonly known = new Set<number>();
  /** A bit for every value of 22 bits of the hash, which spares nearly all look-ups in the set. */
  private readonly filter = new Uint8Array(1 << 19);
  private readonly hashes = new WordHashes();
  private readonly n: number;

  /** @param n words of an n-gram */
  constructor(n: number) {
    this.n = n;
  }

  get size(): number {
    return this.known.size;
  }

  /** Add the n-grams of an evaluation text; one of fewer than n words has none. */
  add(text: string): void {
    this.each(text, (key, bit) => {
      this.known.add(key());
      this.filter[bit >> 3]! |= 1 << (bit & 7);
      return false;
    });
  }

  /** Whether the text contains an n-gram that was added. */
  isIn(text: string): boolean {
    return this.known.size > 0 && this.each(text, (key, bit) => (this.filter[bit >> 3]! >> (bit & 7) & 1) === 1 && this.known.has(key()));
  }

  /** Every n-gram in turn, until one for which `visit` says true; rolling hashes, so n costs nothing. */
  private each(text: string, visit: (key: () => number, bit: number) => boolean): boolean {
    const { words, length } = this.hashes.read(text);
    let low = 0, high = 0;
    let outLow = 1, outHigh = 1; // what the word that leaves was multiplied by
    for (let i = 0; i < this.n; i++) {
      outLow = Math.imul(outLow, lowFactor);
      outHigh = Math.imul(outHigh, highFactor);
    }
    const key = (): number => (mix(high) & 0x1fffff) * 0x100000000 + (low >>> 0);
    for (let at = 0; at < length; at++) {
      const enters = words[at]!, leaves = at >= this.n ? words[at - this.n]! : 0;
      low = (Math.imul(low, lowFactor) + enters - Math.imul(leaves, outLow)) | 0;
      high = (Math.imul(high, highFactor) + enters - Math.imul(leaves, outHigh)) | 0;
      if (at >= this.n - 1 && visit(key, mix(low) >>> 10)) return true;
    }
    return false;
  }
}

const lowFactor = 0x2c1b3c6d;
const highFactor = 0x297a2d39;
