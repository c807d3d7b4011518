/** Signatures are cut into bands of rows; two documents are compared when all rows of a band agree (FineWeb: 14 × 8). */
export const bandCount = 14;
export const rowsPerBand = 8;
export const signatureLength = bandCount * rowsPerBand;

/** Words of a shingle. */
const shingleWords = 5;

/**
 * MinHash signatures (Broder 1997) of texts: row i is the smallest value that hash function i gives any of the text's
 * shingles, so two signatures agree in about as large a share of rows as the texts have shingles in common (Jaccard).
 * A shingle is five words in a row, lower-cased, digits as 0, without punctuation and diacritics; in scripts without
 * spaces each character is a word.
 *
 * All hashes are of 32 bits by `Math.imul`, which the engine compiles to one instruction.
 */
export class MinHasher {
  private readonly factors = new Int32Array(signatureLength);
  private readonly offsets = new Int32Array(signatureLength);
  private readonly signature = new Int32Array(signatureLength);
  private shingles = new Int32Array(1 << 12);

  constructor() {
    for (let row = 0; row < signatureLength; row++) {
      this.factors[row] = mix(row * 2 + 1) | 1;
      this.offsets[row] = mix(row * 2 + 2);
    }
  }

  /** The signature, which the next call overwrites, or `undefined` for a text without a word. */
  sign(text: string): Int32Array | undefined {
    const count = this.readShingles(text);
    if (count === 0) return undefined;
    const { factors, offsets, signature, shingles } = this;
    // Row by row: factor, offset and minimum stay in registers while the shingles, 4 bytes each, stream by from the cache.
    for (let row = 0; row < signatureLength; row += 4) {
      const factor0 = factors[row]!, factor1 = factors[row + 1]!, factor2 = factors[row + 2]!, factor3 = factors[row + 3]!;
      const offset0 = offsets[row]!, offset1 = offsets[row + 1]!, offset2 = offsets[row + 2]!, offset3 = offsets[row + 3]!;
      let least0 = 0x7fffffff, least1 = 0x7fffffff, least2 = 0x7fffffff, least3 = 0x7fffffff;
      for (let i = 0; i < count; i++) {
        const shingle = shingles[i]!;
        const hash0 = (Math.imul(shingle, factor0) + offset0) | 0, hash1 = (Math.imul(shingle, factor1) + offset1) | 0;
        const hash2 = (Math.imul(shingle, factor2) + offset2) | 0, hash3 = (Math.imul(shingle, factor3) + offset3) | 0;
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
    const plain = isAscii(text) ? text : text.normalize('NFD');
    let count = 0, words = 0, word = 0;
    let a = 0, b = 0, c = 0, d = 0, e = 0; // the last five words
    for (let at = 0; at <= plain.length; at++) {
      const symbol = at < plain.length ? symbolOf(plain.charCodeAt(at)) : space;
      if (symbol === nothing) continue;
      if (symbol > space) word = Math.imul(word ^ (symbol & 0xffff), 0x01000193) + 0x9e3779b9 | 0;
      if (word === 0 || (symbol !== space && symbol <= wordOfItsOwn)) continue;
      a = b; b = c; c = d; d = e; e = mix(word);
      word = 0;
      if (++words < shingleWords) continue;
      if (count === this.shingles.length) this.grow();
      this.shingles[count++] = shingleOf(a, b, c, d, e);
    }
    if (words > 0 && count === 0) this.shingles[count++] = shingleOf(a, b, c, d, e);
    return count;
  }

  private grow(): void {
    const grown = new Int32Array(this.shingles.length * 2);
    grown.set(this.shingles);
    this.shingles = grown;
  }
}

/** Hash of each band's rows, into `bands` from `at`. */
export function hashBands(signature: Int32Array, bands: Uint32Array, at: number): void {
  for (let band = 0; band < bandCount; band++) {
    let hash = 0;
    for (let row = band * rowsPerBand; row < (band + 1) * rowsPerBand; row++) hash = mix(Math.imul(hash, 0x85ebca6b) + signature[row]!);
    bands[at + band] = hash;
  }
}

function shingleOf(a: number, b: number, c: number, d: number, e: number): number {
  let hash = Math.imul(a, 0x2c1b3c6d) + b;
  hash = Math.imul(hash, 0x2c1b3c6d) + c;
  hash = Math.imul(hash, 0x2c1b3c6d) + d;
  return mix(Math.imul(hash, 0x2c1b3c6d) + e);
}

// What a code unit is to a shingle: nothing, the end of a word, a letter (as the lower-cased code unit), or a letter that is a word (the same, with a flag).
const nothing = 1;
const space = 2;
const wordOfItsOwn = 0x10000;

/** Symbol of each code unit; 0 where it has not been asked for yet. */
const symbols = new Uint32Array(0x10000);

function symbolOf(unit: number): number {
  return symbols[unit] || (symbols[unit] = classify(unit));
}

function classify(unit: number): number {
  if (unit >= 0xd800 && unit < 0xe000) return unit; // half a character: kept, so that letters beyond the basic plane count
  const char = String.fromCharCode(unit);
  if (/\p{White_Space}/u.test(char)) return space;
  if (/\p{Nd}/u.test(char)) return 48;
  if (/[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u.test(char) && /\p{L}/u.test(char)) return wordOfItsOwn + unit;
  if (!/[\p{L}\p{N}]/u.test(char)) return nothing;
  const lower = char.toLowerCase().charCodeAt(0);
  return lower > space ? lower : nothing;
}

function isAscii(text: string): boolean {
  // eslint-disable-next-line no-control-regex -- all of ASCII is meant
  return /^[\0-\x7f]*$/.test(text);
}

function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad);
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97);
  return x ^ (x >>> 15);
}
