import { describe, expect, it } from 'vitest';
import { emptyOutput } from '../../src/core/empty-output.ts';

describe('what is said of an empty output', () => {
  const ofDrops = 'Check what was dropped and why, then change the settings or the input.';
  const ofInputs = 'Check its inputs and its log (`run-pipeline logs`).';
  const cases: readonly [string, Record<string, number>, readonly string[], string, string][] = [
    ['nothing counted', {}, [], 'promises rows', ofInputs],
    ['counts, most first', { a: 2, b: 1234, c: 0 }, [], 'promises rows. It counted: b 1,234, a 2', ofInputs],
    [
      'what was dropped before all else, by what counted it and not by its name',
      { 'documents.in': 9, 'dropped.of-names': 8, short: 2, long: 7 },
      ['short', 'long'],
      'It counted: long 7, short 2, documents.in 9, dropped.of-names 8',
      ofDrops,
    ],
    ['reasons that nothing was dropped for', { a: 1, short: 0 }, ['short'], 'It counted: a 1', ofInputs],
    [
      'eight counts at most',
      Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`n${i}`, i + 1])),
      ['n0'],
      'It counted: n0 1, n19 20, n18 19, n17 18, n16 17, n15 16, n14 15, n13 14',
      ofDrops,
    ],
  ];
  it.each(cases)('%s', (_, metrics, drops, message, help) => {
    const diagnostic = emptyOutput('cleaned', 'documents', 'docs', metrics, drops);
    expect(diagnostic).toMatchObject({ code: 'contract-broken', stage: 'cleaned', help });
    expect(diagnostic.message).toMatch(/^cleaned: output "documents" is empty; its contract "docs" promises rows/);
    expect(diagnostic.message.endsWith(message), diagnostic.message).toBe(true);
  });
});
