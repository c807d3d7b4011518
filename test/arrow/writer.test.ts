import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadContract, type DatasetContract } from '../../src/arrow/contract.ts';
import { ArrowDatasetWriter } from '../../src/arrow/writer.ts';
import type { Manifest } from '../../src/core/artifact.ts';
import type { Row } from '../../src/core/data.ts';
import { contracts, datasetOf, document } from '../rig/run-stage.ts';

const contractOf = (name: string): DatasetContract => loadContract(contracts, name) as DatasetContract;
const writerOf = (contract: DatasetContract | string, options?: { shardBytes?: number; freeChanges?: number }) =>
  new ArrowDatasetWriter(
    mkdtempSync(join(tmpdir(), 'writer-')),
    typeof contract === 'string' ? contractOf(contract) : contract,
    options,
  );
const metas = ({ files }: Manifest): unknown[] => files.map(({ rows, meta }) => ({ rows, meta }));

async function written(
  rows: readonly Row[],
  contract: DatasetContract | string,
  options?: { shardBytes?: number; freeChanges?: number },
) {
  const writer = writerOf(contract, options);
  for (const row of rows) await writer.add(row);
  return writer.finish();
}

const of = (source: string, snapshot: string, text = ''): Row => document({ source, snapshot, text });
const sequence = (...ids: number[]): Row => ({
  input_ids: Uint32Array.from(ids),
  word_starts: new Uint16Array(0),
  doc_ids: new Uint32Array(0),
});
/** `documents` with shards that are full at a number of characters. */
const small = (length: number): DatasetContract => ({
  ...contractOf('documents'),
  shard_size: { column: 'text', length },
});

describe('a shard of documents', () => {
  const cases: readonly { what: string; rows: Row[]; length?: number; shards: [string, string, number][] }[] = [
    { what: 'there is none without rows', rows: [], shards: [] },
    { what: 'holds one source and snapshot', rows: [of('a', '1'), of('a', '1')], shards: [['a', '1', 2]] },
    {
      what: 'ends when the source changes, and again when it changes back',
      rows: [of('a', '1'), of('b', '1'), of('b', '1'), of('a', '1')],
      shards: [
        ['a', '1', 1],
        ['b', '1', 2],
        ['a', '1', 1],
      ],
    },
    {
      what: 'ends when the snapshot changes, if only to none',
      rows: [of('a', '1'), of('a', '2'), of('a', '')],
      shards: [
        ['a', '1', 1],
        ['a', '2', 1],
        ['a', '', 1],
      ],
    },
    {
      what: 'ends with the row that makes it full',
      rows: [of('a', '1', 'abc'), of('a', '1', 'de'), of('a', '1', 'fghij'), of('a', '1', 'k')],
      length: 5,
      shards: [
        ['a', '1', 2],
        ['a', '1', 1],
        ['a', '1', 1],
      ],
    },
    {
      what: 'is as long as its characters are, whatever they take in bytes',
      rows: [of('a', '1', '北京'), of('a', '1', '天安'), of('a', '1', '门')],
      length: 4,
      shards: [
        ['a', '1', 2],
        ['a', '1', 1],
      ],
    },
  ];
  it.each(cases)('$what', async ({ rows, length = 1000, shards }) => {
    const manifest = await written(rows, small(length));
    expect(metas(manifest)).toEqual(
      shards.map(([source, snapshot, documents]) => ({ rows: documents, meta: { source, snapshot, documents } })),
    );
    expect(new Set(manifest.files.map(({ path }) => path)).size).toBe(shards.length);
  });

  it('has its meta when it ends for its bytes', async () => {
    const manifest = await written(
      Array.from({ length: 3 }, () => of('a', '1', 'x'.repeat(2000))),
      'documents',
      { shardBytes: 3000 },
    );
    expect(metas(manifest)).toEqual([
      { rows: 2, meta: { source: 'a', snapshot: '1', documents: 2 } },
      { rows: 1, meta: { source: 'a', snapshot: '1', documents: 1 } },
    ]);
  });

  it('takes 12 Mi characters, some seconds of work for a stage', () => {
    expect(contractOf('documents').shard_size).toEqual({ column: 'text', length: 12 << 20 });
    expect(contractOf('rejects').shard_size).toEqual(contractOf('documents').shard_size);
  });
});

describe('meta', () => {
  const sum = { token_id: 1, count: 2, sequences: 3 };
  const kept: readonly [string, string, Row, Record<string, string | number> | undefined, unknown][] = [
    ['that cannot be taken from rows is given', 'token-counts', sum, { sequences: 4 }, { sequences: 4 }],
    ['may be left out where it is optional', 'sequences', sequence(1), undefined, { sequences: 1 }],
    ['given adds to what rows say', 'sequences', sequence(1), { tokens: 1 }, { tokens: 1, sequences: 1 }],
    [
      'may repeat what rows say',
      'documents',
      of('a', '1'),
      { source: 'a' },
      { source: 'a', snapshot: '1', documents: 1 },
    ],
    ['is nothing where the contract has none', 'word-counts', { word: 'a', count: 1 }, undefined, undefined],
    ['may be nothing', 'word-counts', { word: 'a', count: 1 }, {}, undefined],
  ];
  it.each(kept)('%s: %s', async (_, contract, row, given, expected) => {
    const writer = writerOf(contract);
    await writer.add(row);
    await writer.endShard(given);
    expect(metas(await writer.finish())).toEqual([{ rows: 1, meta: expected }]);
  });

  const broken: readonly [string, Row, Record<string, string | number> | undefined, string][] = [
    ['token-counts', sum, undefined, 'meta "sequences" (number) of contract "token-counts" is missing: pass it to end'],
    ['token-counts', sum, { sequences: 'four' }, 'meta "sequences" of contract "token-counts" takes a finite number'],
    ['token-counts', sum, { sequences: NaN }, 'takes a finite number, not NaN'],
    ['token-counts', sum, { sequences: 4, tokens: 9 }, 'contract "token-counts" has no meta "tokens"'],
    ['sequences', sequence(1), { source: 3 }, 'meta "source" of contract "sequences" takes a string, not 3'],
    ['sequences', sequence(1), { sequences: 2 }, 'meta "sequences" is 2, but the rows of the shard have 1'],
    ['documents', of('a', '1'), { snapshot: '2' }, 'meta "snapshot" is 2, but the rows of the shard have 1'],
    ['metrics', { name: 'a', label: '', value: 1 }, { name: 'a' }, 'contract "metrics" has no meta "name"'],
  ];
  it.each(broken)('of %s that breaks the contract is a bug, and named (%#)', async (contract, row, given, message) => {
    const writer = writerOf(contract);
    await writer.add(row);
    const error = await writer.endShard(given).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(TypeError);
    expect((error as TypeError).message).toContain(message);
  });

  it('is wanted of the last shard too', async () => {
    const writer = writerOf('pair-counts');
    await writer.add({ left: 1, right: 2, count: 3 });
    await expect(writer.finish()).rejects.toThrow('meta "tokens"');
  });

  it('of a linked shard is kept; what the contract does not have is a bug', async () => {
    const { shards } = await datasetOf('sequences', [sequence(1, 2)], { tokens: 2, source: 'a' });
    const writer = writerOf('masked');
    writer.link(shards[0]!);
    expect(metas(await writer.finish())).toEqual([{ rows: 1, meta: { source: 'a', tokens: 2, sequences: 1 } }]);
    expect(() => writerOf('rejects').link(shards[0]!)).toThrow(
      /^contract "rejects" has no meta "(?:sequences|tokens)"$/,
    );
  });

  it('may be missing of a linked shard, which a shell step may have written', async () => {
    const { shards } = await datasetOf('documents', [of('a', '1')]);
    const { meta: _, ...bare } = shards[0]!;
    const writer = writerOf('documents');
    writer.link(bare);
    expect(metas(await writer.finish())).toEqual([{ rows: 1, meta: undefined }]);
  });
});

describe('rows in no order', () => {
  const rows = (count: number, run: number): Row[] =>
    Array.from({ length: count }, (_, i) => of('ab'[Math.floor(i / run) % 2]!, '1'));

  it.each([
    [30, 1, 20],
    [60, 2, 40],
  ])('fail before every row is a shard: %i rows, %i in a row', async (count, run, within) => {
    await expect(written(rows(count, run), 'documents', { freeChanges: 20 })).rejects.toMatchObject({
      diagnostic: {
        code: 'scattered-rows',
        message:
          `\`source\` or \`snapshot\` changed 20 times within ${within} rows of "documents"; each change starts a new ` +
          'shard.',
        help: 'Write rows with the same `source` and `snapshot` one after another.',
      },
    });
  });

  it('are fine while there are few, or ten to a shard', async () => {
    expect((await written(rows(20, 1), 'documents', { freeChanges: 20 })).files).toHaveLength(20);
    expect((await written(rows(400, 10), 'documents', { freeChanges: 20 })).files).toHaveLength(40);
  });
});

describe('files', () => {
  it('are written for rows only', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'writer-'));
    const writer = new ArrowDatasetWriter(folder, contractOf('documents'));
    await writer.endShard();
    await writer.finish();
    expect(readdirSync(folder)).toEqual([]);
  });
});
