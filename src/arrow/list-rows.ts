import type { Shard } from '../core/data.ts';
import { listLayout, type BatchLayout } from './layout.ts';
import type { ContractField } from './contract.ts';
import { damagedShard } from './dataset.ts';
import { OpenFiles } from './open-files.ts';

type Items = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

interface Block extends BatchLayout {
  readonly shard: Shard;
  /** Number of its first row within the whole data set. */
  readonly firstRow: number;
}

/**
 * Lists of numbers of a data set, read from disk row by row. Memory holds one entry per record batch: about a hundred
 * bytes for up to 4 MiB. Reading is synchronous, so do it in a thread that may wait. Every method fails with
 * `damaged-shard` when a file is not Arrow, is truncated or violates the contract.
 */
export class ListRows {
  readonly rowCount: number;
  private readonly contract: string;
  private readonly fields: readonly ContractField[];
  private readonly files = new OpenFiles();
  private readonly blocks: Block[] = [];

  /** @param fields the columns to read: lists of uint16 or uint32, or single uint32, each read as a list of one */
  constructor(contract: string, shards: readonly Shard[], fields: readonly ContractField[]) {
    this.contract = contract;
    this.fields = fields;
    let rowCount = 0;
    for (const shard of shards) {
      this.guard(shard, () => {
        const firstRow = rowCount;
        for (const layout of listLayout(this.files, shard.location, fields)) {
          this.blocks.push({ ...layout, shard, firstRow: rowCount });
          rowCount += layout.rows;
        }
        if (shard.rows !== undefined && rowCount - firstRow !== shard.rows)
          throw new Error(`${rowCount - firstRow} rows instead of the ${shard.rows} in its manifest`);
      });
    }
    this.rowCount = rowCount;
  }

  /** A row's lists in the order of the fields; `undefined` for an optional column that its shard does not have. */
  read(row: number): (Items | undefined)[] {
    const { shard, firstRow, lists } = this.blockOf(row);
    return this.guard(shard, () =>
      lists.map((place, column) => {
        if (place === undefined) return undefined;
        const at = row - firstRow;
        const [start = 0, end = 0] =
          place.offsets === undefined
            ? [at, at + 1]
            : this.files.read(shard.location, place.offsets + at * 4, new Int32Array(2));
        if (start < 0 || end < start || end > place.itemCount)
          throw new Error(`the list of row ${at} of a record batch lies outside of its column`);
        const items =
          this.fields[column]?.type === 'list<uint16>' ? new Uint16Array(end - start) : new Uint32Array(end - start);
        return this.files.read(shard.location, place.items + start * items.BYTES_PER_ELEMENT, items);
      }),
    );
  }

  /** Whether the shards have a column: all of them, none, or some. */
  has(column: number): 'all' | 'none' | 'some' {
    const having = this.blocks.filter(({ lists }) => lists[column] !== undefined).length;
    return having === 0 ? 'none' : having === this.blocks.length ? 'all' : 'some';
  }

  /** The lengths of a column's lists, in order, without reading the lists; one record batch at a time. */
  *lengths(column: number): Generator<Int32Array> {
    for (const { shard, rows, lists } of this.blocks) {
      const place = lists[column];
      const begin = place?.offsets;
      if (place === undefined || begin === undefined || rows === 0) continue;
      yield this.guard(shard, () => {
        const offsets = this.files.read(shard.location, begin, new Int32Array(rows + 1));
        const lengths = offsets.subarray(1).map((end, row) => end - (offsets[row] as number));
        if (
          (offsets[0] as number) < 0 ||
          (offsets[rows] as number) > place.itemCount ||
          lengths.some((length) => length < 0)
        )
          throw new Error('the offsets of a list column are impossible');
        return lengths;
      });
    }
  }

  close(): void {
    this.files.close();
  }

  private blockOf(row: number): Block {
    let [low, high] = [0, this.blocks.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.blocks[middle] as Block).firstRow <= row) low = middle;
      else high = middle - 1;
    }
    const block = this.blocks[low];
    if (block === undefined || row < 0 || row >= this.rowCount)
      throw new RangeError(`there is no row ${row} among ${this.rowCount}`);
    return block;
  }

  private guard<T>(shard: Shard, read: () => T): T {
    try {
      return read();
    } catch (cause) {
      throw damagedShard(shard, this.contract, cause);
    }
  }
}
