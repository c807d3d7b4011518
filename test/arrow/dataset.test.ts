import { describe, expect, it } from 'vitest';
import { truncateSync } from 'node:fs';
import { datasetOf, document } from '../rig/run-stage.ts';

describe('a dataset', () => {
  const cases = [
    {
      contract: 'documents',
      rows: Array.from({ length: 3 }, (_, i) => document({ id: `t:${i}`, text: `Zoë 北京 ${'x'.repeat(i * 100)}` })),
    },
    { contract: 'documents', rows: [] },
    {
      contract: 'sequences',
      rows: [
        { input_ids: Uint32Array.of(0, 70000, 2), word_starts: Uint16Array.of(1), doc_ids: Uint32Array.of(0) },
        { input_ids: new Uint32Array(0), word_starts: new Uint16Array(0), doc_ids: Uint32Array.of(1, 2) },
      ],
    },
    {
      contract: 'masked',
      rows: [
        {
          input_ids: Uint32Array.of(0, 7, 2),
          word_starts: Uint16Array.of(1),
          positions: Uint16Array.of(1),
          labels: Uint32Array.of(9),
        },
      ],
    },
    {
      contract: 'sequences',
      rows: Array.from({ length: 20_000 }, (_, i) => ({
        input_ids: Uint32Array.of(i),
        word_starts: Uint16Array.of(1),
        doc_ids: Uint32Array.of(i),
      })),
    },
  ];
  for (const [index, { contract, rows }] of cases.entries()) {
    it(`gives back what was written: ${contract} ${rows.length} rows #${index}`, async () => {
      const dataset = await datasetOf(contract, rows);
      expect(await dataset.rows()).toEqual(rows);
      expect(dataset.shards.reduce((sum, shard) => sum + (shard.rows ?? 0), 0)).toBe(rows.length);
    });
  }

  it('refuses a value of another type', async () => {
    await expect(datasetOf('documents', [{ ...document({}), text: 3 }])).rejects.toThrow(
      'column "text" takes a string, not number',
    );
  });

  it('names a truncated shard', async () => {
    const dataset = await datasetOf('documents', [document({ text: 'x'.repeat(5000) })]);
    truncateSync(dataset.shards[0]!.location, 3000);
    await expect(dataset.rows()).rejects.toMatchObject({
      diagnostic: { code: 'damaged-shard', shard: 'part-00000.arrow' },
    });
  });
});
