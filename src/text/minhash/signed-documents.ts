import type { Dataset, Row, Shard } from '../../core/data.ts';
import { CompactHasher, textDigest, type CompactSignature } from './text-signature.ts';

/** `exact`: the digest alone, which tells equal texts; `minhash`: a MinHash signature as well. */
export type SigningMethod = 'exact' | 'minhash';

/** What deduplication needs to know of a document. */
export interface SignedDocument {
  readonly snapshot: string;
  /** Four words; see {@link textDigest}. */
  readonly digest: Uint32Array;
  /** `undefined` for a text without a word. Valid until the next document. */
  minHash(): CompactSignature | undefined;
}

/** Signs documents; a MinHash signature is made when it is asked for. */
export class DocumentSigner {
  private readonly hasher = new CompactHasher();

  sign(text: string, snapshot: string): SignedDocument {
    return { snapshot, digest: textDigest(text), minHash: () => this.hasher.sign(text) };
  }
}

/** The row of contract `signatures` that {@link StoredSignatures} reads again. */
export function signatureRow({ snapshot, digest, minHash }: SignedDocument, method: SigningMethod): Row {
  const { bands, rows } = (method === 'minhash' ? minHash() : undefined) ?? {
    bands: new Uint32Array(0),
    rows: new Uint32Array(0),
  };
  return { digest, snapshot, bands, rows };
}

/** Signatures that the `sign` stage left, by the shard of documents that they are of. */
export class StoredSignatures {
  private readonly dataset: Dataset;
  /** Digest of a shard of documents -> number of the first row -> where the signatures from there on are. */
  private readonly parts = new Map<string, Map<number, Shard>>();

  constructor(dataset: Dataset) {
    this.dataset = dataset;
    for (const shard of dataset.shards) {
      const { shard: of = '', first = 0 } = shard.meta ?? {};
      let parts = this.parts.get(String(of));
      if (parts === undefined) this.parts.set(String(of), (parts = new Map<number, Shard>()));
      parts.set(Number(first), shard);
    }
  }

  /** The documents of a shard in order. */
  async *read(documents: Shard): AsyncGenerator<SignedDocument> {
    const parts = [...(this.parts.get(documents.digest) ?? [])].sort(([a], [b]) => a - b);
    const signed = parts.reduce((next, [first, { rows = 0 }]) => (first === next ? first + rows : NaN), 0);
    if (signed !== documents.rows)
      throw new TypeError(`there are not the signatures of all documents in ${documents.path}`);
    for (const [, shard] of parts)
      for await (const { snapshot, digest, bands, rows } of this.dataset.select([shard]).rows()) {
        const signature =
          (bands as Uint32Array).length > 0 ? { bands: bands as Uint32Array, rows: rows as Uint32Array } : undefined;
        yield { snapshot: snapshot as string, digest: digest as Uint32Array, minHash: () => signature };
      }
  }
}
