import { expect, test } from 'vitest';
import type { Change } from '../../src/core/event.ts';
import { reason, staleness } from '../../src/reporting/stage-lines.ts';

test.each<[string, readonly Change[], string, string]>([
  ['has never run', [{ ingredient: 'first run' }], 'first run', 'first run'],
  ['is composite and has never run', [{ ingredient: 'words.first run' }], 'first run', 'first run'],
  [
    'has a changed and a new ingredient',
    [
      { ingredient: 'config.rate', before: '0.1', after: '0.2' },
      { ingredient: 'inputs.extra', after: 'abc' },
    ],
    'config.rate changed, inputs.extra changed',
    'stale: config.rate changed, inputs.extra changed',
  ],
  [
    'lacks its result',
    [{ ingredient: 'result', after: '1 of 3 actions not in the store' }],
    'result missing',
    'stale: result missing',
  ],
])('a stage that %s', (_, changed, shown, logged) => {
  expect(reason({ kind: 'miss', changed })).toBe(shown);
  expect(staleness({ kind: 'miss', changed })).toBe(logged);
});
