import { createHash, type Hash } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RecordBatch, RecordBatchFileWriter, Schema, Struct, makeData, type TypeMap } from 'apache-arrow';
import type { ArtifactFile, Digest, Manifest } from '../core/artifact.ts';
import type { DatasetWriter, Row, Shard } from '../core/data.ts';
import { columnBuilder, type ColumnBuilder } from './columns.ts';
import { arrowSchema } from './schema.ts';
import type { Contract } from './contract.ts';

const batchBytes = 4 << 20;
const batchRows = 8192;

type ShardMeta = Readonly<Record<string, string | number>>;

/**
 * Writes the shards of one dataset into a folder as uncompressed Arrow IPC files, hashing and fsyncing each as it
 * closes.
 * Optional columns of the contract are written when the first row of a shard has them.
 */
export class ArrowDatasetWriter implements DatasetWriter {
  private readonly folder: string;
  private readonly contract: Extract<Contract, { kind: 'dataset' }>;
  private readonly shardBytes: number;
  private readonly files: ArtifactFile[] = [];
  private readonly paths = new Map<string, number>();
  private shard: OpenShard | undefined;
  rowCount = 0;

  /** @param options.shardBytes size in bytes at which a new shard begins; 64 MiB when left out */
  constructor(folder: string, contract: Extract<Contract, { kind: 'dataset' }>, options: { shardBytes?: number } = {}) {
    this.folder = folder;
    this.contract = contract;
    this.shardBytes = options.shardBytes ?? 64 << 20;
  }

  async add(row: Row): Promise<void> {
    this.shard ??= this.open(row);
    this.shard.add(row);
    this.rowCount++;
    if (this.shard.bytes >= this.shardBytes) await this.endShard();
  }

  async endShard(meta?: ShardMeta): Promise<void> {
    if (!this.shard) return;
    this.files.push(this.shard.close(meta));
    this.shard = undefined;
  }

  link(shard: Shard): void {
    const { location: _, path, ...entry } = shard;
    this.files.push({ path: this.freePath(path), ...entry });
    this.rowCount += shard.rows ?? 0;
  }

  /** Close the last shard and say what was written. */
  async finish(): Promise<Manifest> {
    await this.endShard();
    return { version: 1, kind: 'dataset', contract: this.contract.name, files: this.files };
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
    return new OpenShard(this.folder, path, schema, builders);
  }

  /** The path itself, or with a number when another shard has taken it. */
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

class OpenShard {
  private readonly path: string;
  private readonly schema: Schema;
  private readonly columns: readonly { name: string; builder: ColumnBuilder }[];
  private readonly file: ArrowFile;
  private pendingRows = 0;
  private rows = 0;

  constructor(
    folder: string,
    path: string,
    schema: Schema,
    columns: readonly { name: string; builder: ColumnBuilder }[],
  ) {
    this.path = path;
    this.schema = schema;
    this.columns = columns;
    this.file = new ArrowFile(join(folder, path));
    this.file.reset(undefined, schema);
  }

  get bytes(): number {
    return this.file.bytes + this.pendingBytes;
  }

  private get pendingBytes(): number {
    let bytes = 0;
    for (const { builder } of this.columns) bytes += builder.bytes;
    return bytes;
  }

  add(row: Row): void {
    for (const { name, builder } of this.columns) builder.push(row[name]);
    this.rows++;
    if (++this.pendingRows >= batchRows || this.pendingBytes >= batchBytes) this.flush();
  }

  close(meta?: ShardMeta): ArtifactFile {
    if (this.pendingRows > 0) this.flush();
    const { digest, bytes } = this.file.closeFile();
    return { path: this.path, digest, bytes, rows: this.rows, ...(meta ? { meta } : {}) };
  }

  private flush(): void {
    const children = this.columns.map(({ builder }) => builder.finish());
    const data = makeData({
      type: new Struct<TypeMap>(this.schema.fields),
      length: this.pendingRows,
      nullCount: 0,
      children,
    });
    this.file.write(new RecordBatch(this.schema, data));
    this.pendingRows = 0;
  }
}

/** Arrow's file writer with a plain file beneath it: synchronous, so nothing queues up in memory. */
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
