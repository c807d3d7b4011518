/**
 * Counter-based randomness: every number is a pure function of keys such as (run seed, step, call site) and an index, so
 * a resumed run draws what an undisturbed one would have drawn. The mixer is `lowbias32` (Wellons, "Prospecting for hash
 * functions"), whose bits pass the usual avalanche tests.
 */
export function mix32(value: number): number {
  let x = value | 0;
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0xd35a2d97);
  return (x ^ (x >>> 15)) >>> 0;
}

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
  return mix32(Math.imul(index, 0x9e3779b1) ^ key);
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

/** The numbers 0…count-1 in an order that depends on `key` alone (Fisher–Yates). */
export function shuffledIndices(count: number, key: number): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, index) => index);
  for (let i = count - 1; i > 0; i--) {
    const j = draw32(key, i) % (i + 1);
    const kept = order[i] as number;
    order[i] = order[j] as number;
    order[j] = kept;
  }
  return order;
}
