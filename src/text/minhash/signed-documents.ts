import type { Dataset, Row } from '../../core/data.ts';
import { CompactHasher, textDigest, type CompactSignature } from './text-signature.ts';

/** `exact`: only the digest, which identifies equal texts; `minhash`: a MinHash signature too. */
export type SigningMethod = 'exact' | 'minhash';

/** What deduplication needs to know about a document. */
export interface SignedDocument {
  readonly snapshot: string;
  /** Four words; see {@link textDigest}. */
  readonly digest: Uint32Array;
  /** `undefined` for a text without a word. Valid until the next document. */
  minHash(): CompactSignature | undefined;
}

/** Signs documents; a MinHash signature is made when it is requested. */
export class DocumentSigner {
  private readonly hasher = new CompactHasher();

  sign(text: string, snapshot: string): SignedDocument {
    return { snapshot, digest: textDigest(text), minHash: () => this.hasher.sign(text) };
  }
}

/** The row of contract `signatures` that {@link storedSignatures} reads back. */
export function signatureRow({ snapshot, digest, minHash }: SignedDocument, method: SigningMethod): Row {
  const { bands, rows } = (method === 'minhash' ? minHash() : undefined) ?? {
    bands: new Uint32Array(0),
    rows: new Uint32Array(0),
  };
  return { digest, snapshot, bands, rows };
}

/** The documents whose signatures are in a dataset, in its order. */
export async function* storedSignatures(dataset: Dataset): AsyncGenerator<SignedDocument, void> {
  for await (const { snapshot, digest, bands, rows } of dataset.rows()) {
    const signature =
      (bands as Uint32Array).length > 0 ? { bands: bands as Uint32Array, rows: rows as Uint32Array } : undefined;
    yield { snapshot: snapshot as string, digest: digest as Uint32Array, minHash: () => signature };
  }
}
