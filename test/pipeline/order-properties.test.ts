import fc from 'fast-check';
import { expect, it } from 'vitest';
import { dependenciesOf, orderStages } from '../../src/pipeline/order.ts';

interface Node {
  readonly id: string;
  readonly inputs: Readonly<Record<string, readonly { kind: 'stage'; stage: string; port: string }[]>>;
}

const node = (id: string, reads: readonly string[]): Node => ({
  id,
  inputs: { in: reads.map((stage) => ({ kind: 'stage', stage, port: 'out' })) },
});
const names = fc.uniqueArray(fc.stringMatching(/^[a-c]{0,2}(?:[0-9]{1,2})?(?:@[12])?$/), {
  minLength: 1,
  maxLength: 12,
});
const some = (ids: string[], most: number): fc.Arbitrary<string[]> =>
  fc.subarray(ids, { maxLength: Math.min(most, ids.length) });
/** Any graph, also with circles. */
const graph = names.chain((ids) => fc.tuple(...ids.map((id) => some(ids, 3).map((reads) => node(id, reads)))));
/** One without: each reads only what is before it. */
const acyclic = names.chain((ids) =>
  fc.tuple(...ids.map((id, at) => some(ids.slice(0, at), 4).map((reads) => node(id, reads)))),
);
const shuffled = <T>(values: readonly T[]): fc.Arbitrary<T[]> =>
  fc.shuffledSubarray([...values], { minLength: values.length });

/** The longest way from a stage that reads nothing; the definition, not the algorithm. */
function distance(nodes: readonly Node[], { inputs }: Node): number {
  return Math.max(
    0,
    ...inputs['in']!.map(
      ({ stage }) =>
        1 +
        distance(
          nodes,
          nodes.find(({ id }) => id === stage)!,
        ),
    ),
  );
}

it('puts every stage once, by its distance from the sources, whatever order they come in', () => {
  fc.assert(
    fc.property(
      acyclic.chain((nodes) => fc.tuple(fc.constant(nodes), shuffled(nodes))),
      ([nodes, mixed]) => {
        const { sorted, cycles } = orderStages(mixed);
        expect(cycles).toEqual([]);
        expect(sorted.map(({ id }) => id).sort()).toEqual(nodes.map(({ id }) => id).sort());
        const distances = sorted.map((each) => distance(nodes, each));
        expect(distances).toEqual([...distances].sort((a, b) => a - b));
        expect(sorted).toEqual(orderStages(nodes).sorted);
      },
    ),
    { numRuns: 300 },
  );
});

it('numbers are numbers: s2 is before s10 when both could be first', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(200), { minLength: 1 }), (numbers) => {
      const { sorted } = orderStages(numbers.map((number) => node(`s${number}`, [])));
      expect(sorted.map(({ id }) => id)).toEqual([...numbers].sort((a, b) => a - b).map((number) => `s${number}`));
    }),
  );
});

it('finds a circle in each knot, and orders what is not in or behind one', () => {
  fc.assert(
    fc.property(
      graph.chain((nodes) => fc.tuple(fc.constant(nodes), shuffled(nodes))),
      ([nodes, mixed]) => {
        const reads = new Map(nodes.map((each) => [each.id, dependenciesOf(each)]));
        const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
          [...reads.get(from)!].some((next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))));
        const stuck = new Set(
          nodes
            .map(({ id }) => id)
            .filter((id) =>
              nodes.some(({ id: other }) => (other === id || reaches(id, other)) && reaches(other, other)),
            ),
        );
        const { sorted, cycles } = orderStages(mixed);
        expect(new Set(sorted.map(({ id }) => id))).toEqual(
          new Set(nodes.map(({ id }) => id).filter((id) => !stuck.has(id))),
        );
        for (const cycle of cycles) {
          expect(cycle.length).toBeGreaterThan(1);
          expect(cycle.at(-1)).toBe(cycle[0]);
          // In the direction of the data: each is read by the next.
          for (const [at, id] of cycle.slice(0, -1).entries()) expect(reads.get(cycle[at + 1]!)).toContain(id);
        }
        // Whatever is stuck is in one of the circles or reads, in the end, one of their stages.
        const inCircles = new Set(cycles.flat());
        for (const id of stuck)
          expect(inCircles.has(id) || [...inCircles].some((other) => reaches(id, other)), id).toBe(true);
        expect(cycles).toEqual(orderStages(nodes).cycles);
      },
    ),
    { numRuns: 300 },
  );
});
