import { describe, expect, it } from 'vitest';
import { CorpusReport } from '../../src/corpus/corpus-report.ts';
import { TopCounts } from '../../src/corpus/top-counts.ts';
import type { Row } from '../../src/core/data.ts';

describe('CorpusReport', () => {
  it('counts documents, bytes, reasons, lengths, languages and domains', async () => {
    const rows: Row[] = [];
    const counters: Record<string, number> = {};
    const dropped: string[] = [];
    const report = new CorpusReport({
      count: (name, by = 1) => void (counters[name] = (counters[name] ?? 0) + by),
      drop: (reason) => void dropped.push(reason),
      writer: () => ({
        add: async (row) => void rows.push(row),
        endShard: async () => {},
        link: () => {},
        folder: '',
        rowCount: 0,
      }),
    });
    for (const text of ['Rīga', 'a'.repeat(1000), '']) report.read(text);
    report.keep({ text: 'Rīga', lang: 'lv', url: 'https://www.Example.org:80/a' });
    report.keep({ text: 'a'.repeat(1000), lang: '', url: 'http://example.org?b' });
    report.drop('empty');
    report.add('tokens', 'out', 7);
    await report.end();
    expect(counters).toEqual({ 'documents.in': 3, 'documents.out': 2 });
    expect(dropped).toEqual(['empty']);
    expect(rows.map(({ name, label, value }) => `${String(name)}/${String(label)}=${String(value)}`)).toEqual([
      'documents/in=3',
      'documents/out=2',
      'bytes/in=1005',
      'bytes/out=1005',
      'length/4=1',
      'length/512=1',
      'language/lv=1',
      'dropped/empty=1',
      'tokens/out=7',
      'domain/example.org=2',
    ]);
  });
});

describe('TopCounts', () => {
  it('is exact while everything fits', () => {
    const counts = new TopCounts(3);
    for (const item of ['b', 'a', 'c', 'a', 'b', 'b']) counts.add(item);
    expect(counts.top(2)).toEqual([
      ['b', 3],
      ['a', 2],
    ]);
  });

  it('finds what is frequent among any number of others, within its bound', () => {
    const counts = new TopCounts(100);
    for (let i = 0; i < 10_000; i++) counts.add(i % 4 === 0 ? 'frequent' : `rare ${i}`);
    const [[item, count] = ['', 0]] = counts.top(1);
    expect(item).toBe('frequent');
    expect(count).toBeGreaterThanOrEqual(2500 - 100);
    expect(counts.top(1000).length).toBeLessThanOrEqual(100);
  });
});
