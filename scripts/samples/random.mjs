/** A random stream keyed by words, so that adding one article never changes another (FNV-1a seed, mulberry32 steps). */
export function stream(...words) {
  let state = 0x811c9dc5;
  for (const byte of Buffer.from(words.join('\u0000'))) state = Math.imul(state ^ byte, 0x01000193) >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return {
    next,
    below,
    between: (low, high) => low + below(high - low + 1),
    pick: (list) => list[below(list.length)],
    chance: (share) => next() < share,
    /** `count` different items, in random order. */
    some(list, count) {
      const pool = [...list];
      const taken = [];
      while (taken.length < count && pool.length > 0) taken.push(...pool.splice(below(pool.length), 1));
      return taken;
    },
  };
}
