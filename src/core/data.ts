import type { ArtifactFile } from './artifact.ts';

/** A value of a row. Lists of numbers are typed arrays, both ways. */
export type Value =
  string | number | boolean | null | Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array;
export type Row = Record<string, Value>;

/** A shard as a dataset's manifest lists it, and where its bytes are. */
export interface Shard extends ArtifactFile {
  /** Absolute path of the Arrow IPC file. */
  readonly location: string;
}

/** A read-only dataset: Arrow IPC file-format shards that all follow one contract. */
export interface Dataset {
  readonly contract: string;
  readonly shards: readonly Shard[];
  readonly rowCount: number;
  readonly bytes: number;
  /**
   * Every row in order, one record batch in memory at a time. Throws a Failure naming the shard when one is damaged.
   */
  rows(): AsyncGenerator<Row>;
  /** Record batches in order, as apache-arrow gives them; columns by name with `batch.getChild(name)`. */
  batches(): AsyncGenerator<import('apache-arrow').RecordBatch>;
  /** Absolute path of a file that the contract promises next to the shards. */
  file(path: string): string;
  /** The same dataset restricted to some shards. */
  select(shards: readonly Shard[]): Dataset;
}

/**
 * Writes one dataset output. A shard ends when it is full, or when a row differs in a field that the contract takes
 * from rows as `meta`, such as the `source` and `snapshot` of documents. Others see nothing before the stage succeeds.
 */
export interface DatasetWriter {
  /**
   * Append a row. Resolves when there is room, so awaiting it bounds memory. A row that breaks the contract is a bug
   * and throws.
   */
  add(row: Row): Promise<void>;
  /**
   * End the current shard, if there is one, so that the next row starts a new one. Needed only if the contract has
   * `meta` that cannot be taken from the rows: pass it here, for the shard's manifest entry. Meta that breaks the
   * contract is a bug and throws.
   */
  endShard(meta?: Readonly<Record<string, string | number>>): Promise<void>;
  /**
   * Add a shard of an input by reference, with its meta; no bytes are copied. Meta that the contract does not have is a
   * bug and throws.
   */
  link(shard: Shard): void;
  readonly rowCount: number;
  /** Where to put files that the contract promises next to the shards, by path. */
  readonly folder: string;
}

/** A folder input; its contract names the files. */
export interface Folder {
  readonly path: string;
  readonly files: readonly ArtifactFile[];
}

/** A folder output: a private folder. Every file in it becomes part of the artifact when the stage ends. */
export interface OutputFolder {
  readonly path: string;
}
