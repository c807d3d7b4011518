import { mix32 } from '../core/mix32.ts';

/**
 * A counter-based random stream: draw n of a key is a hash of (key, n), so a stream has no state to save and any draw
 * can be repeated directly. The mixer is a 32-bit finaliser with low bias, applied twice over a 64-bit key.
 */
export class KeyedRandom {
  private readonly key0: number;
  private readonly key1: number;
  private counter = 0;

  /** @param keys integers that name the stream, such as seed, epoch and sequence */
  constructor(...keys: readonly number[]) {
    let key0 = 0x6a09e667;
    let key1 = 0xbb67ae85;
    for (const key of keys) {
      const high = Math.floor(key / 0x100000000) | 0;
      key0 = mix32(key0 ^ key ^ Math.imul(high, 0x85ebca6b));
      key1 = mix32(Math.imul(key1, 0x9e3779b1) + key0 + high);
    }
    this.key0 = key0;
    this.key1 = key1;
  }

  /** A uniform number of [0, 1) with 32 random bits. */
  next(): number {
    this.counter = (this.counter + 1) | 0;
    return (mix32(mix32(this.counter ^ this.key0) + this.key1) >>> 0) / 0x100000000;
  }

  /** A uniform integer of [0, bound). */
  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }
}

/**
 * A uniform number of [0, 1) that depends only on a text, so that a document is on the same side of a split in every
 * run.
 */
export function hashToUnit(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (mix32(hash ^ text.length) >>> 0) / 0x100000000;
}
