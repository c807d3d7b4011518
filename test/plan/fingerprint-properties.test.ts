import fc from 'fast-check';
import { expect, it } from 'vitest';
import { canonicalJson } from '../../src/core/artifact.ts';
import { actionKey } from '../../src/plan/fingerprint.ts';

const json = fc.jsonValue({ maxDepth: 4 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const ingredients = fc.dictionary(fc.string(), json, { maxKeys: 6 });

/** The same value, built with the keys of its objects in the opposite order. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, each]) => [key, reversed(each)]),
  );
}

it('a key does not depend on the order in which ingredients are named', () => {
  fc.assert(
    fc.property(ingredients, (given) => {
      expect(actionKey(reversed(given) as typeof given)).toBe(actionKey(given));
    }),
    { numRuns: 1000 },
  );
});

it('canonical JSON is JSON of the same value: no two values share one', () => {
  fc.assert(
    fc.property(json, (value) => {
      expect(JSON.parse(canonicalJson(value))).toEqual(value);
    }),
    { numRuns: 1000 },
  );
});

it('keys differ as soon as anything in the ingredients does', () => {
  fc.assert(
    fc.property(ingredients, ingredients, (one, other) => {
      expect(actionKey(one) === actionKey(other)).toBe(JSON.stringify(sorted(one)) === JSON.stringify(sorted(other)));
    }),
    { numRuns: 1000 },
  );
  fc.assert(
    fc.property(ingredients, fc.string(), json, (given, name, value) => {
      fc.pre(!Object.hasOwn(given, name) && name !== '__proto__');
      const more = { ...given, [name]: value };
      expect(actionKey(more)).not.toBe(actionKey(given));
      expect(actionKey({ ...given, [name]: [value] })).not.toBe(actionKey(more));
    }),
    { numRuns: 1000 },
  );
});

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, each]) => [key, sorted(each)]);
}
