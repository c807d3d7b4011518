import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RecordBatch, RecordBatchFileWriter, Schema, Struct, makeData, type TypeMap } from 'apache-arrow';
import type { ArtifactFile, Digest, Manifest } from '../core/artifact.ts';
import { fail } from '../core/diagnostic.ts';
import type { DatasetWriter, Row, Shard, Value } from '../core/data.ts';
import { columnBuilder, type ColumnBuilder } from './columns.ts';
import { arrowSchema } from './schema.ts';
import { checkMeta, ShardMeta, type Meta } from './shard-meta.ts';
import type { DatasetContract } from './contract.ts';

const batchBytes = 4 << 20;
const batchRows = 8192;

interface WriterOptions {
  readonly shardBytes?: number;
  readonly freeChanges?: number;
}

/**
 * Writes the shards of one dataset into a folder as uncompressed Arrow IPC files, hashing and fsyncing each as it
 * closes. A shard ends when it is full, or when a meta column of its contract changes.
 * Optional columns of the contract are written when the first row of a shard has them.
 */
export class ArrowDatasetWriter implements DatasetWriter {
  readonly folder: string;
  private readonly contract: DatasetContract;
  private readonly shardBytes: number;
  private readonly freeChanges: number;
  private readonly files: ArtifactFile[] = [];
  private readonly paths = new Map<string, number>();
  private shard: OpenShard | undefined;
  /** Shards that ended before they were full. */
  private changes = 0;
  rowCount = 0;

  /**
   * @param options.shardBytes size in bytes at which a new shard begins; default: 64 MiB
   * @param options.freeChanges number of changes of meta columns up to which shards may have any size; default: 1,000
   */
  constructor(
    folder: string,
    contract: DatasetContract,
    { shardBytes = 64 << 20, freeChanges = 1000 }: WriterOptions = {},
  ) {
    this.folder = folder;
    this.contract = contract;
    this.shardBytes = shardBytes;
    this.freeChanges = freeChanges;
  }

  async add(row: Row): Promise<void> {
    if (this.shard?.meta.excludes(row) === true) {
      this.checkScatter(++this.changes);
      await this.endShard();
    }
    this.shard ??= this.open(row);
    this.shard.add(row);
    this.rowCount++;
    if (this.isFull(this.shard)) await this.endShard();
  }

  async endShard(meta?: Meta): Promise<void> {
    if (!this.shard) return;
    this.files.push(this.shard.close(meta));
    this.shard = undefined;
  }

  link(shard: Shard): void {
    const { location: _, path, ...entry } = shard;
    checkMeta(shard.meta ?? {}, this.contract);
    this.files.push({ path: this.freePath(path), ...entry });
    this.rowCount += shard.rows ?? 0;
  }

  /** Close the last shard and return what was written. */
  async finish(): Promise<Manifest> {
    await this.endShard();
    return { version: 1, kind: 'dataset', contract: this.contract.name, files: this.files };
  }

  private isFull({ bytes, length }: OpenShard): boolean {
    return bytes >= this.shardBytes || length >= (this.contract.shard_size?.length ?? Infinity);
  }

  /** Each shard is a file and, for later stages, an action: one row per shard would take days. */
  private checkScatter(changes: number): void {
    if (changes < this.freeChanges || this.rowCount >= changes * leastRowsPerChange) return;
    const columns = (this.contract.meta ?? []).flatMap(({ from, name }) => (from === 'column' ? `\`${name}\`` : []));
    fail(
      'scattered-rows',
      `${columns.join(' or ')} changed ${changes} times within ${this.rowCount} rows of "${this.contract.name}"; ` +
        'each change starts a new shard.',
      `Write rows with the same ${columns.join(' and ')} one after another.`,
    );
  }

  private open(row: Row): OpenShard {
    const fields = this.contract.fields.filter((field) => !field.optional || row[field.name] !== undefined);
    mkdirSync(this.folder, { recursive: true });
    const path = this.freePath(`part-${String(this.files.length).padStart(5, '0')}.arrow`);
    const schema = arrowSchema(fields);
    const builders = fields.map((field, index) => ({
      name: field.name,
      builder: columnBuilder(field, schema.fields[index]!.type),
    }));
    const meta = new ShardMeta(this.contract, row);
    return new OpenShard({
      folder: this.folder,
      path,
      schema,
      columns: builders,
      meta,
      sizeColumn: this.contract.shard_size?.column,
    });
  }

  /** The path itself, or with a number when another shard already has it. */
  private freePath(path: string): string {
    let free = path;
    for (let times = this.paths.get(path) ?? 0; this.paths.has(free);) {
      free = path.replace(/(\.[^.]*)?$/, `-${++times + 1}$1`);
      this.paths.set(path, times);
    }
    this.paths.set(free, 0);
    return free;
  }
}

/** Average number of rows between two changes that is enough for a shard. */
const leastRowsPerChange = 10;

interface ShardOptions {
  readonly folder: string;
  readonly path: string;
  readonly schema: Schema;
  readonly columns: readonly { readonly name: string; readonly builder: ColumnBuilder }[];
  readonly meta: ShardMeta;
  /** The column whose lengths are added up. */
  readonly sizeColumn: string | undefined;
}

class OpenShard {
  readonly meta: ShardMeta;
  /** Total length of the values of a column; see `shard_size` of contracts. */
  length = 0;
  private readonly options: ShardOptions;
  private readonly file: ArrowFile;
  private pendingRows = 0;
  private rows = 0;

  constructor(options: ShardOptions) {
    this.options = options;
    this.meta = options.meta;
    this.file = new ArrowFile(join(options.folder, options.path));
    this.file.reset(undefined, options.schema);
  }

  get bytes(): number {
    return this.file.bytes + this.pendingBytes;
  }

  private get pendingBytes(): number {
    let bytes = 0;
    for (const { builder } of this.options.columns) bytes += builder.bytes;
    return bytes;
  }

  add(row: Row): void {
    const { columns, sizeColumn } = this.options;
    for (const { name, builder } of columns) builder.push(row[name]);
    if (sizeColumn !== undefined) this.length += lengthOf(row[sizeColumn]);
    this.rows++;
    if (++this.pendingRows >= batchRows || this.pendingBytes >= batchBytes) this.flush();
  }

  close(given?: Meta): ArtifactFile {
    const meta = this.meta.finish(this.rows, given);
    if (this.pendingRows > 0) this.flush();
    const { digest, bytes } = this.file.closeFile();
    return { path: this.options.path, digest, bytes, rows: this.rows, ...(meta ? { meta } : {}) };
  }

  private flush(): void {
    const { columns, schema } = this.options;
    const children = columns.map(({ builder }) => builder.finish());
    const data = makeData({
      type: new Struct<TypeMap>(schema.fields),
      length: this.pendingRows,
      nullCount: 0,
      children,
    });
    this.file.write(new RecordBatch(schema, data));
    this.pendingRows = 0;
  }
}

/** The number of characters of a text, or of items of a list. */
function lengthOf(value: Value | undefined): number {
  return typeof value === 'string' || ArrayBuffer.isView(value) ? value.length : 0;
}

/** Arrow's file writer on top of a plain file: synchronous, so nothing queues up in memory. */
class ArrowFile extends RecordBatchFileWriter {
  private readonly fd: number;
  private readonly hash: Hash = createHash('sha256');
  bytes = 0;

  constructor(path: string) {
    super();
    this.fd = openSync(path, 'wx');
    const put = (chunk: Uint8Array): void => {
      this.hash.update(chunk);
      this.bytes += chunk.byteLength;
      for (let at = 0; at < chunk.byteLength;) at += writeSync(this.fd, chunk, at);
    };
    // The queue that Arrow would fill for a reader; every chunk goes straight to the file instead.
    this._sink.write = (chunk: unknown) => {
      put(chunk as Uint8Array);
    };
  }

  closeFile(): { digest: Digest; bytes: number } {
    this.finish();
    fsyncSync(this.fd);
    closeSync(this.fd);
    return { digest: this.hash.digest('hex') as Digest, bytes: this.bytes };
  }
}
