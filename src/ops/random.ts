import { mix32 } from '../core/mix32.ts';

// Counter-based randomness: every number is a pure function of keys such as (run seed, step, call site) and an index,
// so a resumed run draws what an undisturbed one would have drawn.

/** One 32-bit key from several numbers; order matters. Text is hashed by its UTF-16 units. */
export function key32(...parts: readonly (number | string)[]): number {
  let key = 0x9e3779b9;
  for (const part of parts) {
    if (typeof part === 'number') {
      key = mix32(key ^ (part | 0));
      key = mix32(key + Math.floor(part / 0x100000000));
    } else {
      for (let i = 0; i < part.length; i++) key = mix32(key ^ part.charCodeAt(i));
      key = mix32(key ^ 0x5bd1e995);
    }
  }
  return key >>> 0;
}

/** The `index`-th 32-bit number of the stream named by `key`. */
export function draw32(key: number, index: number): number {
  return mix32(Math.imul(index, 0x9e3779b1) ^ key) >>> 0;
}

/** Uniform in [0, 1). */
export function uniform(key: number, index: number): number {
  return draw32(key, index) / 0x100000000;
}

/** Standard normal values (Box–Muller). */
export function fillNormal(out: Float32Array, key: number, deviation: number): void {
  for (let i = 0; i < out.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - uniform(key, i)));
    const angle = 2 * Math.PI * uniform(key, i + 1);
    out[i] = deviation * radius * Math.cos(angle);
    if (i + 1 < out.length) out[i + 1] = deviation * radius * Math.sin(angle);
  }
}

/**
 * Where `index` comes in an order of 0…count-1 that depends on `key` alone, without a list of it: a Feistel network
 * over the bits of an index, whose halves take turns to change one another, walked until it is below `count` again
 * (Black and Rogaway, "Ciphers with arbitrary finite domains"). `count` is at most 2³¹.
 */
export function permuted(index: number, count: number, key: number): number {
  const bits = Math.max(6, 32 - Math.clz32(count - 1));
  const low = bits >> 1;
  const [lowMask, highMask] = [(1 << low) - 1, (1 << (bits - low)) - 1];
  let place = index;
  do {
    let [left, right] = [place >>> low, place & lowMask];
    for (let round = 0; round < feistelRounds; round += 2) {
      left = (left ^ draw32(key + round, right)) & highMask;
      right = (right ^ draw32(key + round + 1, left)) & lowMask;
    }
    place = ((left << low) | right) >>> 0;
  } while (place >= count);
  return place;
}

/** Four make a pseudorandom permutation of a large domain; small ones need more to come out even. */
const feistelRounds = 8;
