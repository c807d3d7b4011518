import { open } from 'node:fs/promises';
import { DataType, RecordBatchReader, type RecordBatch, type Vector } from 'apache-arrow';
import { Failure } from '../core/diagnostic.ts';
import type { Dataset, Row, Shard, Value } from '../core/data.ts';
import { schemaMismatch } from './schema.ts';
import type { DatasetContract } from './contract.ts';

/** Shards of Arrow IPC files read batch by batch, each checked against the contract when it is opened. */
export class ArrowDataset implements Dataset {
  readonly contract: string;
  readonly shards: readonly Shard[];
  private readonly definition: DatasetContract;

  private readonly files: readonly Shard[];

  /** @param files the shards, and the files next to them that the contract names */
  constructor(definition: DatasetContract, files: readonly Shard[]) {
    this.contract = definition.name;
    this.definition = definition;
    this.files = files.filter(({ path }) => definition.files?.includes(path));
    this.shards = this.files.length === 0 ? files : files.filter((file) => !this.files.includes(file));
  }

  get rowCount(): number {
    return this.shards.reduce((sum, shard) => sum + (shard.rows ?? 0), 0);
  }

  get bytes(): number {
    return this.shards.reduce((sum, shard) => sum + shard.bytes, 0);
  }

  select(shards: readonly Shard[]): ArrowDataset {
    return new ArrowDataset(this.definition, [...shards, ...this.files]);
  }

  file(path: string): string {
    const file = this.files.find((each) => each.path === path);
    if (file === undefined) throw new TypeError(`no file "${path}" next to the shards of "${this.contract}"`);
    return file.location;
  }

  async *batches(): AsyncGenerator<RecordBatch> {
    for (const shard of this.shards) yield* readShard(shard, this.definition);
  }

  async *rows(): AsyncGenerator<Row> {
    for await (const batch of this.batches()) {
      const columns = batch.schema.fields.map((field, index) => ({
        name: field.name,
        read: columnReader(batch.getChildAt(index)!),
      }));
      for (let row = 0; row < batch.numRows; row++) {
        const result: Row = {};
        for (const { name, read } of columns) result[name] = read(row);
        yield result;
      }
    }
  }
}

/** The record batches of one shard. Fails with `damaged-shard` when the file is not Arrow or breaks the contract. */
export async function* readShard(shard: Shard, contract: DatasetContract): AsyncGenerator<RecordBatch> {
  const handle = await open(shard.location);
  let rows = 0;
  try {
    const reader = await RecordBatchReader.from(handle);
    await reader.open();
    const mismatch = schemaMismatch(reader.schema, contract.fields);
    if (mismatch) throw new Error(mismatch);
    for await (const batch of reader) {
      rows += batch.numRows;
      yield batch;
    }
    if (shard.rows !== undefined && rows !== shard.rows)
      throw new Error(`${rows} rows instead of the ${shard.rows} in its manifest`);
  } catch (cause) {
    if (cause instanceof Failure) throw cause;
    throw damagedShard(shard, contract.name, cause);
  } finally {
    await handle.close().catch(() => undefined); // Arrow's reader closes it at the end of the file
  }
}

/** The error for a shard that cannot be read as its contract says. */
export function damagedShard(shard: Shard, contract: string, cause: unknown): Failure {
  const what = cause instanceof Error ? cause.message : String(cause);
  return new Failure(
    {
      code: 'damaged-shard',
      message: `Shard ${shard.path} (${shard.location}) violates the contract "${contract}": ${what}.`,
      shard: shard.path,
      help: 'Run `run-pipeline cache verify`, then run again.',
    },
    { cause },
  );
}

/** Values of one column of a record batch by row; lists are views of the column's own memory. */
function columnReader(vector: Vector): (row: number) => Value {
  const data = vector.data[0];
  if (data && DataType.isList(data.type)) {
    const offsets = data.valueOffsets;
    const child = data.children[0]!;
    const values = child.values as Uint16Array | Uint32Array;
    return (row) => values.subarray(offsets[row]! - child.offset, offsets[row + 1]! - child.offset);
  }
  return (row) => vector.get(row) as Value;
}
