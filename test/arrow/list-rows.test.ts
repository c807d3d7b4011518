import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  Bool,
  Dictionary,
  Field,
  FixedSizeList,
  Int32,
  List,
  Struct,
  Table,
  tableToIPC,
  Uint16,
  Uint32,
  Utf8,
  vectorFromArray,
  type DataType,
  type Vector,
} from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import type { Row, Shard } from '../../src/core/data.ts';
import { loadContract, type DatasetContract } from '../../src/arrow/contract.ts';
import { ListRows } from '../../src/arrow/list-rows.ts';
import { KeyedRandom } from '../../src/text/random.ts';
import { contracts, datasetOf, document } from '../rig/run-stage.ts';

const { fields } = loadContract(contracts, 'masked') as DatasetContract;
const open = (contract: string, shards: readonly Shard[]): ListRows => new ListRows(contract, shards, fields);

function sequences(count: number, masked = false): Row[] {
  return Array.from({ length: count }, (_, row) => ({
    input_ids: Uint32Array.from({ length: row % 50 }, (_v, i) => row * 100_000 + i),
    word_starts: Uint16Array.from({ length: row % 7 }, (_v, i) => i),
    ...(masked
      ? { positions: Uint16Array.of(row % 9), labels: Uint32Array.of(row) }
      : { doc_ids: Uint32Array.of(row) }),
  }));
}

/** Rows as lists, in the order of the columns; a number as a list of one. */
const listsOf = (rows: readonly Row[]): unknown[] =>
  rows.map((row) => fields.map(({ name }) => (typeof row[name] === 'number' ? Uint32Array.of(row[name]) : row[name])));

describe('rows of list columns', () => {
  it.each([
    ['sequences, in several record batches', 'sequences', sequences(20_000)],
    ['masked sequences', 'masked', sequences(300, true)],
    [
      'pairs with a number each',
      'sequences',
      sequences(9000).map((row, i): Row => ({ ...row, next_sentence_label: (i * 7) % 5 === 0 ? 1 : 0 })),
    ],
  ])('%s: each is what reading all of them gives, in whatever order', async (_, contract, rows) => {
    const dataset = await datasetOf(contract, rows);
    const lists = open(contract, dataset.shards);
    const expected = listsOf(await dataset.rows());
    expect(lists.rowCount).toBe(rows.length);
    const random = new KeyedRandom(5);
    for (const row of [0, rows.length - 1, ...Array.from({ length: 2000 }, () => random.below(rows.length))])
      expect(lists.read(row)).toEqual(expected[row]);
    expect([...lists.lengths(0)].flatMap((lengths) => [...lengths])).toEqual(
      rows.map(({ input_ids }) => (input_ids as Uint32Array).length),
    );
    for (const row of [-1, rows.length]) expect(() => lists.read(row)).toThrow(RangeError);
    lists.close();
  });

  it('of more shards than stay open', async () => {
    const parts = await Promise.all(Array.from({ length: 250 }, (_, i) => datasetOf('sequences', sequences(i % 4))));
    const rows = (await Promise.all(parts.map((part) => part.rows()))).flat();
    const lists = open(
      'sequences',
      parts.flatMap(({ shards }) => shards),
    );
    expect(rows.map((_, row) => lists.read(row))).toEqual(listsOf(rows));
    lists.close();
  });

  it('between columns of any other type', () => {
    const word = { at: 1, text: 'é', tags: ['a', 'b'] };
    const others: Record<string, Vector> = {
      text: vectorFromArray(['x', 'Zoë', '北京'], new Utf8()),
      kept: vectorFromArray([true, null, false], new Bool()),
      word: vectorFromArray(
        [word, word, null],
        new Struct([
          new Field('at', new Int32()),
          new Field('text', new Utf8()),
          new Field('tags', new List(new Field('item', new Utf8()))),
        ]),
      ),
      lang: vectorFromArray(['en', 'zh', 'en'], new Dictionary(new Utf8(), new Int32())),
      pair: vectorFromArray(
        [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        new FixedSizeList(2, new Field('item', new Int32())),
      ),
    };
    const ids = [[0, 70_000, 2], [0, 2], [9]];
    const starts = [[1], [], [1, 2]];
    const list = (rows: readonly number[][], type: DataType): Vector =>
      vectorFromArray(rows, new List(new Field('item', type)));
    const location = join(mkdtempSync(join(tmpdir(), 'lists-')), 'a.arrow');
    writeFileSync(
      location,
      tableToIPC(
        new Table({
          ...others,
          word_starts: list(starts, new Uint16()),
          more: others['word']!,
          next_sentence_label: vectorFromArray([0, 1, 1], new Uint32()),
          input_ids: list(ids, new Uint32()),
        }),
        'file',
      ),
    );
    const lists = open('masked', [{ location, path: 'a.arrow', rows: 3 } as Shard]);
    expect(ids.map((_, row) => lists.read(row))).toEqual(
      ids.map((row, i) => [
        Uint32Array.from(row),
        Uint16Array.from(starts[i]!),
        undefined,
        undefined,
        Uint32Array.of(i === 0 ? 0 : 1),
      ]),
    );
    lists.close();
  });

  it.each<[string, (bytes: Buffer) => Uint8Array | Promise<Uint8Array>, string]>([
    ['cut off in its footer', (bytes) => bytes.subarray(0, -50), 'truncated'],
    ['cut off in the middle', (bytes) => bytes.subarray(0, bytes.length / 2), 'truncated'],
    ['empty', () => Buffer.alloc(0), 'too short'],
    ['text', () => Buffer.from('token ids\n'.repeat(100)), 'something else'],
    [
      'without some of its middle',
      (bytes) => Buffer.concat([bytes.subarray(0, 5000), bytes.subarray(20_000)]),
      'beyond the end of the file',
    ],
    ['without the head of its record batch', (bytes) => bytes.fill(0, 8, 2000), 'Shard'],
    ['in disorder, in its offsets', (bytes) => replaceOffsets(bytes), 'offsets'],
    [
      'of another contract',
      async () => readFileSync((await datasetOf('documents', [document({})])).shards[0]!.location),
      'column "input_ids"',
    ],
    [
      'of fewer rows',
      async () => readFileSync((await datasetOf('sequences', sequences(3))).shards[0]!.location),
      '3 rows instead of the 500 in its manifest',
    ],
  ])('a shard that is %s is named', async (_, damage, message) => {
    const { shards } = await datasetOf('sequences', sequences(500));
    writeFileSync(shards[0]!.location, await damage(readFileSync(shards[0]!.location)));
    const readAll = (): void => {
      const lists = open('sequences', shards);
      for (const _lengths of lists.lengths(0));
      for (let row = 0; row < lists.rowCount; row++) lists.read(row);
    };
    expect(readAll).toThrow(
      expect.objectContaining({
        diagnostic: expect.objectContaining({
          code: 'damaged-shard',
          shard: 'part-00000.arrow',
          message: expect.stringContaining(message),
        }),
      }),
    );
  });
});

/** The first lists have 0, 1, 2 and 3 items; let the third begin behind the end of its column. */
function replaceOffsets(bytes: Buffer): Buffer {
  const at = bytes.indexOf(Buffer.from(Int32Array.of(0, 0, 1, 3, 6, 10).buffer));
  bytes.writeInt32LE(1 << 30, at + 8);
  return bytes;
}
