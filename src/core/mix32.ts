/**
 * Spread the bits of a 32-bit number over all of it, as a signed one: `lowbias32` (Wellons, "Prospecting for hash
 * functions"), whose bits pass the usual avalanche tests. Everything that hashes or draws numbers here goes through it;
 * the torch bridge's kernels compute the same.
 */
export function mix32(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0xd35a2d97);
  return x ^ (x >>> 15);
}
