import { mix32 } from '../../core/mix32.ts';
import { WordHashes } from './word-hashes.ts';

/**
 * The n-grams of words of evaluation sets, to find documents that contain one. Words are compared without case,
 * punctuation and diacritics and with digits as 0. An n-gram is identified by a 53-bit hash: with a million of them,
 * one in ten thousand million positions of a corpus matches one by mistake.
 */
export class EvaluationNGrams {
  private readonly known = new Set<number>();
  /** One bit per value of 22 bits of the hash, which avoids nearly all look-ups in the set. */
  private readonly filter = new Uint8Array(1 << 19);
  private readonly hashes = new WordHashes();
  private readonly n: number;
  /** The factor of the word that leaves an n-gram. */
  private readonly outFactor: number;

  /** @param n number of words in an n-gram */
  constructor(n: number) {
    this.n = n;
    let factor = 1;
    for (let word = 0; word < n; word++) factor = Math.imul(factor, lowFactor);
    this.outFactor = factor;
  }

  get size(): number {
    return this.known.size;
  }

  /** Add the n-grams of an evaluation text; a text of fewer than n words has none. */
  add(text: string): void {
    const { words, length } = this.hashes.read(text);
    let low = 0;
    for (let at = 0; at < length; at++) {
      low = this.roll(low, words, at);
      if (at < this.n - 1) continue;
      const bit = mix32(low) >>> 10;
      this.known.add(this.key(low, words, at));
      this.filter[bit >> 3]! |= 1 << (bit & 7);
    }
  }

  /** Whether the text contains an n-gram that was added. */
  isIn(text: string): boolean {
    if (this.known.size === 0) return false;
    const { words, length } = this.hashes.read(text);
    let low = 0;
    for (let at = 0; at < length; at++) {
      low = this.roll(low, words, at);
      const bit = mix32(low) >>> 10;
      if ((this.filter[bit >> 3]! >> (bit & 7)) & 1 && at >= this.n - 1 && this.known.has(this.key(low, words, at)))
        return true;
    }
    return false;
  }

  /**
   * The hash of the n words that end at a position, from the one at the position before, so that the cost does not
   * depend on n.
   */
  private roll(low: number, words: Int32Array, at: number): number {
    const leaves = at >= this.n ? Math.imul(words[at - this.n]!, this.outFactor) : 0;
    return (Math.imul(low, lowFactor) + words[at]! - leaves) | 0;
  }

  /** 53-bit hash of the n words that end at a position: the rolling hash and a second one, which is seldom needed. */
  private key(low: number, words: Int32Array, at: number): number {
    let high = 0;
    for (let word = at - this.n + 1; word <= at; word++) high = (Math.imul(high, highFactor) + words[word]!) | 0;
    return (mix32(high) & 0x1fffff) * 0x100000000 + (low >>> 0);
  }
}

const lowFactor = 0x2c1b3c6d;
const highFactor = 0x297a2d39;
