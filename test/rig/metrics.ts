import { expect } from 'vitest';
import { rowsOf } from './artifact.ts';

export type Counters = Readonly<Record<string, number>>;
type Table = Readonly<Record<string, Counters>>;

/** The table `metrics` that a stage left: rows of several shards add up, by name and label. */
export async function metricsTable(folder: string): Promise<Table> {
  const table: Record<string, Record<string, number>> = {};
  for (const { name, label, value } of await rowsOf(folder)) {
    const labels = (table[String(name)] ??= {});
    labels[String(label)] = (labels[String(label)] ?? 0) + Number(value);
  }
  return table;
}

export const total = (counters: Counters = {}): number =>
  Object.values(counters).reduce((sum, count) => sum + count, 0);

/** Expect that a stage's table says what its run's counters say, and that its numbers add up in themselves. */
export function expectToAddUp(stage: string, table: Table, counters: Counters): void {
  const dropped = Object.fromEntries(
    Object.entries(counters)
      .filter(([name, count]) => name.startsWith('dropped.') && count > 0)
      .map(([name, count]) => [name.slice('dropped.'.length), count]),
  );
  expect({ stage, documents: table['documents'], dropped: table['dropped'] ?? {} }).toEqual({
    stage,
    documents: { in: counters['documents.in'], out: counters['documents.out'] },
    dropped,
  });
  const { in: read = 0, out: kept = 0 } = table['documents']!;
  expect([stage, read]).toEqual([stage, kept + total(table['dropped'])]);
  expect([stage, total(table['length'])]).toEqual([stage, kept]);
  expect(total(table['language']), stage).toBeLessThanOrEqual(kept);
  expect(total(table['domain']), stage).toBeLessThanOrEqual(kept);
  // Characters take a byte at least, and UTF-8 three at most.
  const least = Object.entries(table['length'] ?? {}).reduce(
    (sum, [characters, documents]) => sum + Number(characters) * documents,
    0,
  );
  expect(table['bytes']!['out'], stage).toBeGreaterThanOrEqual(least);
  expect(table['bytes']!['out'], stage).toBeLessThan(6 * least + 1);
}
