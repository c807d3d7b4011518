import type { Reference } from '../core/pipeline.ts';

interface Node {
  readonly id: string;
  readonly inputs: Readonly<Record<string, readonly Reference[]>>;
}

export interface Order<T> {
  /** Producers before consumers; by distance from the sources, then by id, so the order of the YAML does not matter. */
  readonly sorted: readonly T[];
  /** One cycle, `[a, b, a]` in the direction of the data, per group of stages that cannot be ordered. */
  readonly cycles: readonly (readonly string[])[];
}

/** Ids that a stage needs. */
export function dependenciesOf(node: Node): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const references of Object.values(node.inputs)) {
    for (const reference of references) {
      if (reference.kind === 'stage') ids.add(reference.stage);
      else for (const { stage } of reference.rounds) ids.add(stage);
    }
  }
  return ids;
}

/** Sort stages topologically (Kahn's algorithm, no recursion: pipelines may be 10,000 stages deep). */
export function orderStages<T extends Node>(nodes: readonly T[]): Order<T> {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const needs = new Map(nodes.map((node) => [node.id, [...dependenciesOf(node)].filter((id) => byId.has(id)).sort()]));
  const feeds = new Map<string, string[]>(nodes.map((node) => [node.id, []]));
  for (const [id, producers] of needs) for (const producer of producers) feeds.get(producer)?.push(id);
  const missing = new Map([...needs].map(([id, producers]) => [id, producers.length]));
  const sorted: T[] = [];
  let ready = nodes.filter((node) => missing.get(node.id) === 0).map((node) => node.id);
  while (ready.length > 0) {
    const next: string[] = [];
    for (const id of ready.sort(byNumberThenText)) {
      const node = byId.get(id);
      if (node !== undefined) sorted.push(node);
      for (const consumer of feeds.get(id) ?? []) {
        const left = (missing.get(consumer) ?? 0) - 1;
        missing.set(consumer, left);
        if (left === 0) next.push(consumer);
      }
    }
    ready = next;
  }
  return {
    sorted,
    cycles:
      sorted.length === nodes.length
        ? []
        : findCycles(
            nodes.map((node) => node.id),
            needs,
            missing,
          ),
  };
}

/** Walk backwards from each stuck stage; a stage visited twice on one walk closes a cycle. */
function findCycles(
  ids: readonly string[],
  needs: ReadonlyMap<string, readonly string[]>,
  missing: ReadonlyMap<string, number>,
): readonly (readonly string[])[] {
  const cycles: string[][] = [];
  const done = new Set<string>();
  for (const start of [...ids].sort(byNumberThenText)) {
    const walk: string[] = [];
    const position = new Map<string, number>();
    let at: string | undefined = (missing.get(start) ?? 0) > 0 ? start : undefined;
    while (at !== undefined && !done.has(at) && !position.has(at)) {
      position.set(at, walk.length);
      walk.push(at);
      at = needs.get(at)?.find((id) => (missing.get(id) ?? 0) > 0);
    }
    const from = at === undefined || done.has(at) ? undefined : position.get(at);
    if (from !== undefined) cycles.push(rotate(walk.slice(from).reverse()));
    for (const id of walk) done.add(id);
  }
  return cycles;
}

/** Rotate a cycle to start and end at its alphabetically first id. */
function rotate(cycle: readonly string[]): string[] {
  const first = cycle.indexOf([...cycle].sort(byNumberThenText)[0] ?? '');
  const turned = [...cycle.slice(first), ...cycle.slice(0, first)];
  return [...turned, turned[0] ?? ''];
}

const collator = new Intl.Collator('en', { numeric: true });

function byNumberThenText(a: string, b: string): number {
  return collator.compare(a, b) || (a < b ? -1 : Number(a > b));
}
