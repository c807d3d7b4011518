import { expect, it } from 'vitest';
import type { ActionKey } from '../../src/core/artifact.ts';
import type { ActionRecord } from '../../src/plan/action-cache.ts';
import { stageMetrics } from '../../src/plan/planner.ts';

const record = (metrics: Record<string, number>, gauges?: readonly string[]): ActionRecord => ({
  v: 1,
  key: 'k' as ActionKey,
  stage: 's',
  outputs: {},
  metrics,
  ...(gauges && { gauges }),
  durationMs: 1,
  ingredients: {},
});

it('sums what the actions of a stage counted and takes the mean of what they set', () => {
  expect(
    stageMetrics([
      record({ in: 3, ngrams: 7 }, ['ngrams']),
      record({ in: 4, out: 1, ngrams: 7 }, ['ngrams']),
      record({ in: 1 }),
      record({ score: 1 }, ['score']),
      record({ score: 2 }, ['score', 'lost']),
    ]),
  ).toEqual({ in: 8, out: 1, ngrams: 7, score: 1.5 });
});
