import type { Dataset, Row, Shard } from '../../core/data.ts';
import { fail } from '../../core/diagnostic.ts';
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
  const { bands, rows } = (method === 'minhash' ? minHash() : undefined) ?? { bands: new Uint32Array(0), rows: new Uint32Array(0) };
  return { digest, snapshot, bands, rows };
}

/** Signatures that the `sign` stage left, by the shard of documents that they are of. */
export class StoredSignatures {
  /** Digest of a shard of documents -> number of the first row -> where the signatures from there on are. */
  private readonly parts = new Map<string, Map<number, { readonly dataset: Dataset; readonly shard: Shard }>>();
  private readonly method: SigningMethod;

  /** @param method what is asked of the signatures; those that can't tell are as if they were not there */
  constructor(datasets: readonly Dataset[], method: SigningMethod) {
    this.method = method;
    for (const dataset of datasets)
      for (const shard of dataset.shards) {
        const { shard: of = '', first = 0, method: made } = shard.meta ?? {};
        if (method === 'minhash' && made !== 'minhash') continue;
        let parts = this.parts.get(String(of));
        if (parts === undefined) this.parts.set(String(of), (parts = new Map<number, { dataset: Dataset; shard: Shard }>()));
        parts.set(Number(first), { dataset, shard });
      }
  }

  /** The documents of a shard in order. Fails with `not-signed` when there are not the signatures of all of them. */
  async *read(documents: Shard): AsyncGenerator<SignedDocument> {
    const parts = [...(this.parts.get(documents.digest) ?? [])].sort(([a], [b]) => a - b);
    let next = 0;
    for (const [first, { shard }] of parts) next = first === next ? first + (shard.rows ?? 0) : NaN;
    if (next !== documents.rows)
      fail('not-signed', `There are no signatures of the documents in ${documents.path} to compare them by \`${this.method}\`.`, 'Leave out `signatures`, or connect it to a `sign` stage that takes all that `documents` takes and has the same `method`.');
    for (const [, { dataset, shard }] of parts)
      for await (const { snapshot, digest, bands, rows } of dataset.select([shard]).rows()) {
        const signature = (bands as Uint32Array).length > 0 ? { bands: bands as Uint32Array, rows: rows as Uint32Array } : undefined;
        yield { snapshot: snapshot as string, digest: digest as Uint32Array, minHash: () => signature };
      }
  }
}
