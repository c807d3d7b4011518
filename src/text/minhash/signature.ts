import { mix32 } from '../../core/mix32.ts';
import { WordHashes } from '../filters/word-hashes.ts';

/**
 * Signatures are cut into bands of rows; two documents are compared when all rows of a band agree (FineWeb: 14 × 8).
 */
export const bandCount = 14;
export const rowsPerBand = 8;
export const signatureLength = bandCount * rowsPerBand;

/** Words of a shingle. */
const shingleWords = 5;

/**
 * MinHash signatures (Broder 1997) of texts: row i is the smallest value of hash function i over the text's shingles,
 * so the share of rows in which two signatures agree estimates the share of common shingles (Jaccard). A shingle is
 * five words in a row, lower-cased, digits as 0, without punctuation and diacritics; in scripts without spaces each
 * character is a word.
 *
 * All hashes are of 32 bits by `Math.imul`, which the engine compiles to one instruction.
 */
export class MinHasher {
  private readonly factors = new Int32Array(signatureLength);
  private readonly offsets = new Int32Array(signatureLength);
  private readonly signature = new Int32Array(signatureLength);
  private readonly words = new WordHashes();
  private shingles = new Int32Array(1 << 12);

  constructor() {
    for (let row = 0; row < signatureLength; row++) {
      this.factors[row] = mix32(row * 2 + 1) | 1;
      this.offsets[row] = mix32(row * 2 + 2);
    }
  }

  /** The signature, which the next call overwrites, or `undefined` for a text without a word. */
  sign(text: string): Int32Array | undefined {
    const count = this.readShingles(text);
    if (count === 0) return undefined;
    const { factors, offsets, signature, shingles } = this;
    // Row by row: factor, offset and minimum stay in registers while the shingles, 4 bytes each, stream by from the
    // cache.
    for (let row = 0; row < signatureLength; row += 4) {
      const factor0 = factors[row]!,
        factor1 = factors[row + 1]!,
        factor2 = factors[row + 2]!,
        factor3 = factors[row + 3]!;
      const offset0 = offsets[row]!,
        offset1 = offsets[row + 1]!,
        offset2 = offsets[row + 2]!,
        offset3 = offsets[row + 3]!;
      let least0 = 0x7fffffff,
        least1 = 0x7fffffff,
        least2 = 0x7fffffff,
        least3 = 0x7fffffff;
      for (let i = 0; i < count; i++) {
        const shingle = shingles[i]!;
        const hash0 = (Math.imul(shingle, factor0) + offset0) | 0,
          hash1 = (Math.imul(shingle, factor1) + offset1) | 0;
        const hash2 = (Math.imul(shingle, factor2) + offset2) | 0,
          hash3 = (Math.imul(shingle, factor3) + offset3) | 0;
        if (hash0 < least0) least0 = hash0;
        if (hash1 < least1) least1 = hash1;
        if (hash2 < least2) least2 = hash2;
        if (hash3 < least3) least3 = hash3;
      }
      signature[row] = least0;
      signature[row + 1] = least1;
      signature[row + 2] = least2;
      signature[row + 3] = least3;
    }
    return signature;
  }

  /** Hashes of the text's shingles; a text of fewer than five words is one shingle. */
  private readShingles(text: string): number {
    const { words, length } = this.words.read(text);
    const count = length === 0 ? 0 : Math.max(1, length - shingleWords + 1);
    if (count > this.shingles.length) this.shingles = new Int32Array(Math.max(count, this.shingles.length * 2));
    for (let at = 0; at < count; at++) {
      let hash = 0;
      for (let word = at; word < at + shingleWords && word < length; word++)
        hash = (Math.imul(hash, 0x2c1b3c6d) + words[word]!) | 0;
      this.shingles[at] = mix32(hash);
    }
    return count;
  }
}

/** Hash of each band's rows, into `bands` from `at`. */
export function hashBands(signature: Int32Array, bands: Uint32Array, at: number): void {
  for (let band = 0; band < bandCount; band++) {
    let hash = 0;
    for (let row = band * rowsPerBand; row < (band + 1) * rowsPerBand; row++)
      hash = mix32(Math.imul(hash, 0x85ebca6b) + signature[row]!);
    bands[at + band] = hash;
  }
}
