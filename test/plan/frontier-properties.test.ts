import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Digest } from '../../src/core/artifact.ts';
import type { Pipeline, Reference, StageNode } from '../../src/core/pipeline.ts';
import type { Artifact } from '../../src/plan/action-cache.ts';
import { Frontier, type LoopEnd, type Turn } from '../../src/plan/frontier.ts';
import { randomPipeline, Workshop } from '../rig/random-pipeline.ts';

const workshop = new Workshop();

/** What stages of a pipeline do when they run: by id, whether they fail, and the metric `rows` that they set. */
interface World {
  readonly fails: ReadonlySet<string>;
  readonly rows: (id: string) => number;
}

/** How each stage ended: what it read, or that it was blocked, or that the rounds ended before it. */
type Ends = Readonly<Record<string, readonly string[] | 'blocked' | 'skipped'>>;

const outputOf = (id: string): Artifact => ({
  digest: id as Digest,
  manifest: { version: 1, kind: 'dataset', contract: 'documents', files: [] },
});
const readsOf = (turn: Turn): string[] | 'blocked' =>
  'inputs' in turn
    ? Object.values(turn.inputs)
        .flat()
        .map(({ digest }) => digest)
    : 'blocked';

/** Walk a pipeline with several stages under way, which end in an order that `pick` chooses. */
function walk(pipeline: Pipeline, { fails, rows }: World, pick: (count: number) => number): Ends {
  const ends: Record<string, readonly string[] | 'blocked' | 'skipped'> = {};
  const loopEnds: LoopEnd[] = [];
  const frontier = new Frontier(pipeline, (end) => {
    loopEnds.push(end);
    for (const { id } of end.skipped) ends[id] = 'skipped';
  });
  const underWay: StageNode[] = [];
  for (;;) {
    for (let turn = frontier.take(); turn !== undefined; turn = frontier.take()) {
      expect(ends, 'taken once').not.toHaveProperty([turn.node.id]);
      ends[turn.node.id] = readsOf(turn);
      if ('inputs' in turn) underWay.push(turn.node);
      else {
        expect(turn.blockedBy).not.toEqual([]);
        const hasResult = (id: string): boolean => Array.isArray(ends[id]) && !fails.has(id);
        expect(turn.blockedBy.filter(hasResult)).toEqual([]);
        frontier.settle(turn.node.id, undefined);
      }
    }
    const [node] = underWay.splice(pick(underWay.length), 1);
    if (node === undefined) break;
    frontier.settle(
      node.id,
      fails.has(node.id) ? undefined : { outputs: { documents: outputOf(node.id) }, metrics: { rows: rows(node.id) } },
    );
  }
  expect(loopEnds.length).toBeLessThanOrEqual(1);
  return ends;
}

/** The same by definition: each stage asks for what it needs, without turns and tokens. */
function define(pipeline: Pipeline, { fails, rows }: World): Ends {
  const nodes = new Map(pipeline.stages.map((node) => [node.id, node]));
  const known = new Map<string, readonly string[] | 'blocked' | 'skipped'>();
  const { loop } = pipeline;
  const rounds = loop?.rounds ?? [];
  const until = /^(s\d+)\.rows >= (\d+)$/.exec(loop?.until ?? '');
  const isDone = (id: string): boolean => Array.isArray(endOf(id)) && !fails.has(id);
  /** Of the round that this one, counted from 0, is. */
  const roundOf = (id: string): number => rounds.findIndex((ids) => ids.includes(id));
  const holds = (round: number): boolean => {
    if (until === null || !rounds[round]!.every(isDone)) return false;
    const last = rounds[round]!.findLast((id) => nodes.get(id)!.name === until[1]);
    return last !== undefined && rows(last) >= Number(until[2]);
  };
  /** The round after which there is none. */
  const lastRound = (): number => {
    const ended = [...rounds.keys()].find(holds);
    return ended ?? rounds.length - 1;
  };

  function endOf(id: string): readonly string[] | 'blocked' | 'skipped' {
    const end = known.get(id) ?? determine(nodes.get(id)!);
    known.set(id, end);
    return end;
  }

  function determine(node: StageNode): readonly string[] | 'blocked' | 'skipped' {
    const round = roundOf(node.id);
    if (until !== null && round > 0) {
      if ([...Array(round).keys()].some(holds)) return 'skipped';
      if (!rounds.slice(0, round).flat().every(isDone)) return 'blocked';
    }
    const producers = Object.values(node.inputs).flat().map(producerOf);
    return producers.every((id) => id !== undefined && isDone(id)) ? (producers as string[]) : 'blocked';
  }

  function producerOf(reference: Reference): string | undefined {
    if (reference.kind === 'stage') return reference.stage;
    const last = lastRound();
    return reference.rounds
      .map((each: string | { readonly stage: string }) => (typeof each === 'string' ? each : each.stage))
      .findLast((id) => roundOf(id) <= last);
  }

  return Object.fromEntries(pipeline.stages.map(({ id }) => [id, endOf(id)]));
}

const seed = fc.nat({ max: 2 ** 31 });
/** A number from 0 below `count`, of a stream of its own. */
function numbers(start: number): (count: number) => number {
  let state = start;
  return (count) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return count === 0 ? 0 : (state >>> 8) % count;
  };
}
const worldOf = (pipeline: Pipeline, start: number, failing: number): World => {
  const next = numbers(start);
  const counts = new Map(pipeline.stages.map(({ id }) => [id, next(12)]));
  return {
    fails: new Set(pipeline.stages.map(({ id }) => id).filter(() => next(100) < failing)),
    rows: (id) => counts.get(id)!,
  };
};

describe('a walk through a pipeline', () => {
  it('gives every stage the turn that its inputs and rounds define, whatever order stages end in', async () => {
    const met = { blocked: 0, skipped: 0, ran: 0 };
    await fc.assert(
      fc.asyncProperty(randomPipeline, seed, seed, fc.constantFrom(0, 10, 40), async (random, one, other, failing) => {
        const pipeline = await workshop.load(random);
        const world = worldOf(pipeline, one, failing);
        const expected = define(pipeline, world);
        expect(walk(pipeline, world, () => 0)).toEqual(expected);
        expect(walk(pipeline, world, numbers(other))).toEqual(expected);
        for (const end of Object.values(expected)) met[typeof end === 'string' ? end : 'ran'] += 1;
      }),
      { numRuns: 300 },
    );
    expect(Math.min(met.blocked, met.skipped, met.ran)).toBeGreaterThan(0);
  });

  it('goes on in the same way when outputs turn out damaged and their stages have to run again', async () => {
    let again = 0;
    await fc.assert(
      fc.asyncProperty(randomPipeline, seed, seed, async (random, one, other) => {
        const pipeline = await workshop.load(random);
        const world = worldOf(pipeline, one, 0);
        const next = numbers(other);
        const turns = new Map<string, (string[] | 'blocked')[]>();
        const frontier = new Frontier(pipeline);
        let damages = 5;
        for (let turn = frontier.take(); turn !== undefined; turn = frontier.take()) {
          const { node } = turn;
          turns.set(node.id, [...(turns.get(node.id) ?? []), readsOf(turn)]);
          if ('blockedBy' in turn) {
            frontier.settle(node.id, undefined);
            continue;
          }
          const producers = frontier.producers(node);
          const damaged = damages > 0 ? producers.filter(() => next(4) === 0) : [];
          if (damaged.length > 0) {
            damages -= 1;
            again += 1;
            frontier.retake(node, damaged);
          } else
            frontier.settle(node.id, {
              outputs: { documents: outputOf(node.id) },
              metrics: { rows: world.rows(node.id) },
            });
        }
        for (const [id, end] of Object.entries(define(pipeline, world)))
          if (end === 'skipped') expect(turns.has(id), id).toBe(false);
          else expect(new Set(turns.get(id)!.map(String)), id).toEqual(new Set([String(end)]));
      }),
      { numRuns: 300 },
    );
    expect(again).toBeGreaterThan(0);
  });
});
