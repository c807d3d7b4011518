import { createHash } from 'node:crypto';
import { bandCount, hashBands, MinHasher, signatureLength } from './signature.ts';

/** A MinHash signature as it is compared: a hash of each band, and the lowest byte of each row, four to a word. */
export interface CompactSignature {
  readonly bands: Uint32Array;
  readonly rows: Uint32Array;
}

/** Words of a {@link CompactSignature}'s rows. */
export const rowWords = signatureLength / 4;

/** Compact signatures of texts; the memory of one is reused for the next. */
export class CompactHasher {
  private readonly hasher = new MinHasher();
  private readonly signature: CompactSignature = { bands: new Uint32Array(bandCount), rows: new Uint32Array(rowWords) };
  private readonly rowBytes = new Uint8Array(this.signature.rows.buffer);

  /** The signature, which the next call overwrites, or `undefined` for a text without a word. */
  sign(text: string): CompactSignature | undefined {
    const rows = this.hasher.sign(text);
    if (rows === undefined) return undefined;
    hashBands(rows, this.signature.bands, 0);
    this.rowBytes.set(rows); // modulo 256
    return this.signature;
  }
}

/**
 * First 16 bytes of the SHA-256 of a text in Unicode's NFC with every run of white space as one space, as four words.
 */
export function textDigest(text: string): Uint32Array {
  return digestWords(text.normalize('NFC').replace(/\s+/gu, ' ').trim());
}

/** A digest for the text within a group: equal texts of different groups never have the same. */
export function groupDigest(digest: Uint32Array, group: string): Uint32Array {
  return digestWords(`${digest.join(' ')}\0${group}`);
}

function digestWords(data: string): Uint32Array {
  const digest = createHash('sha256').update(data).digest();
  return Uint32Array.of(
    digest.readUInt32LE(0),
    digest.readUInt32LE(4),
    digest.readUInt32LE(8),
    digest.readUInt32LE(12),
  );
}
