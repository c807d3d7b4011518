import { expect, test } from 'vitest';
import { expNegative } from '../../src/ops/fast-exp.ts';

test('e^-x to float32 precision over its whole range, and NaN through', () => {
  for (let x = 0; x < 87; x += 0.0137) expect(Math.abs(expNegative(x) / Math.exp(-x) - 1)).toBeLessThan(2e-8);
  expect(expNegative(0)).toBe(1);
  expect([expNegative(1e9), expNegative(Infinity)]).toEqual([0, 0]);
  expect(expNegative(Number.NaN)).toBeNaN();
});
