/** A lower-case hexadecimal SHA-256. */
export type Digest = string & { readonly __brand: 'digest' };
/** The fingerprint of an action; see `plan/fingerprint`. */
export type ActionKey = string & { readonly __brand: 'action-key' };

/** A file of an artifact. `rows` is present for the Arrow shards of a dataset. */
export interface ArtifactFile {
  /** Path inside the artifact, with `/`. */
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
  readonly rows?: number;
  /**
   * What `refresh` needs to choose shards without opening them: source, snapshot, language, token counts, and so on.
   */
  readonly meta?: Readonly<Record<string, string | number>>;
}

/** An immutable output. Its digest is the SHA-256 of its manifest's canonical JSON. */
export interface Manifest {
  readonly version: 1;
  readonly kind: 'dataset' | 'folder';
  /** Name of the contract in `schemas/contracts/`. */
  readonly contract: string;
  readonly files: readonly ArtifactFile[];
}

/** The JSON text that is digested: sorted keys, no white space. Throws on values that JSON cannot hold. */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON cannot hold ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item ?? null)).join(',')}]`;
  if (typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`;
  }
  throw new TypeError(`canonical JSON cannot hold a ${typeof value}`);
}
