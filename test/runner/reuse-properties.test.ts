import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { RunEvent } from '../../src/core/event.ts';
import type { Pipeline } from '../../src/core/pipeline.ts';
import { planPipeline } from '../../src/runner/plan-pipeline.ts';
import { runPipeline, type RunResult } from '../../src/runner/run-pipeline.ts';
import { createStore } from '../../src/store/store.ts';
import { createInProcessExecutor } from '../rig/in-process-executor.ts';
import { randomPipeline, randomStage, Workshop, type RandomPipeline } from '../rig/random-pipeline.ts';
import { contracts } from '../rig/run-stage.ts';

const workshop = new Workshop();

/** A store, with what was planned and run on it. */
class Shop {
  readonly folder = mkdtempSync(join(tmpdir(), 'shop-'));
  events: RunEvent[] = [];

  store() {
    return createStore(join(this.folder, 'store'));
  }

  plan(pipeline: Pipeline): Record<string, string> {
    const plan = planPipeline(pipeline, { store: this.store(), contracts, env: {} });
    return Object.fromEntries([...plan].map(([id, { kind }]) => [id, kind]));
  }

  async run(pipeline: Pipeline): Promise<RunResult> {
    this.events = [];
    return runPipeline(pipeline, {
      store: this.store(),
      contracts,
      outputsDir: join(this.folder, 'outputs'),
      env: {},
      signal: new AbortController().signal,
      emit: (event) => this.events.push(event),
      executor: createInProcessExecutor(),
    });
  }

  /** Keys of the actions that the last run started. */
  started(): string[] {
    return this.events.flatMap((event) => (event.type === 'action-start' ? [event.key] : []));
  }

  /** Keys of a stage's actions when it was last done. */
  actions(stage: string): readonly string[] {
    return this.store().last('p', stage)?.actions ?? [];
  }

  /** By the key of a finished action, its record. */
  records(): Map<string, string> {
    const folder = this.store().layout.actions;
    if (!existsSync(folder)) return new Map();
    const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.json'));
    return new Map(files.sort().map((path) => [basename(path, '.json'), join(folder, path)]));
  }

  /** Lose some of the records of finished actions. */
  forget(keep: (index: number) => boolean): void {
    for (const [index, path] of [...this.records().values()].entries()) if (!keep(index)) rmSync(path);
  }
}

const statesOf = (result: RunResult): Record<string, string> =>
  Object.fromEntries([...result.stages].map(([id, { state }]) => [id, state]));
const digestsOf = (result: RunResult): Record<string, Record<string, string>> =>
  Object.fromEntries(
    [...result.stages].map(([id, { outputs }]) => [
      id,
      Object.fromEntries(Object.entries(outputs).map(([port, { digest }]) => [port, digest])),
    ]),
  );

/** Whether a stage reads one that is in no round that ran, which is a failure, not a matter of caching. */
const readsWhatNeverCame = (result: RunResult): boolean =>
  [...result.stages.values()].some(({ diagnostic }) => diagnostic?.code === 'missing-input');

/** What somebody does between two runs. */
type Edit =
  | { readonly kind: 'stage'; readonly at: number; readonly to: Partial<RandomPipeline['stages'][number]> }
  | { readonly kind: 'append'; readonly stage: RandomPipeline['stages'][number] }
  | { readonly kind: 'drop' }
  | { readonly kind: 'files'; readonly lines: readonly number[] }
  | { readonly kind: 'forget'; readonly every: number };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.record({ kind: fc.constant('stage'), at: fc.nat(5), to: fc.record({ add: fc.nat(3) }) }),
  fc.record({ kind: fc.constant('stage'), at: fc.nat(5), to: fc.record({ matrix: fc.boolean() }) }),
  fc.record({ kind: fc.constant('stage'), at: fc.nat(5), to: randomStage.map(({ type, reads }) => ({ type, reads })) }),
  fc.record({ kind: fc.constant('append'), stage: randomStage }),
  fc.record({ kind: fc.constant('drop') }),
  fc.record({
    kind: fc.constant('files'),
    lines: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 3, maxLength: 3 }),
  }),
  fc.record({ kind: fc.constant('forget'), every: fc.integer({ min: 1, max: 3 }) }),
);

function edited(random: RandomPipeline, change: Edit, shop: Shop): RandomPipeline {
  const { stages } = random;
  switch (change.kind) {
    case 'stage': {
      const at = change.at % stages.length;
      return { ...random, stages: stages.map((each, index) => (index === at ? { ...each, ...change.to } : each)) };
    }
    case 'append':
      return { ...random, stages: [...stages, change.stage] };
    case 'drop':
      return { ...random, stages: stages.length > 1 ? stages.slice(0, -1) : stages };
    case 'files':
      workshop.write(change.lines);
      return random;
    case 'forget':
      shop.forget((index) => index % change.every !== 0);
      return random;
  }
}

it('what a plan says is what a run does, and leaves the results that an empty store gets', async () => {
  const met: Record<string, number> = {};
  await fc.assert(
    fc.asyncProperty(randomPipeline, fc.array(edit, { maxLength: 3 }), async (first, edits) => {
      const shop = new Shop();
      let random = first;
      for (const change of [undefined, ...edits]) {
        if (change !== undefined) random = edited(random, change, shop);
        const pipeline = await workshop.load(random);
        const plan = shop.plan(pipeline);
        const recorded = shop.records();
        const result = await shop.run(pipeline);
        fc.pre(!readsWhatNeverCame(result));
        expect(result.state).toBe('ok');
        const states = statesOf(result);
        const started = shop.started();
        expect(started, 'no action twice').toHaveLength(new Set(started).size);
        expect(
          started.filter((key) => recorded.has(key)),
          'no action that is recorded',
        ).toEqual([]);
        for (const { id } of pipeline.stages) {
          const [planned = 'not needed', did = 'nothing'] = [plan[id], states[id]];
          met[`${planned}: ${did}`] = (met[`${planned}: ${did}`] ?? 0) + 1;
          // A stage with the same actions as another finds them done; so does one that waited for inputs to be known.
          const twin = planned === 'miss' && did === 'cached' && shop.actions(id).some((key) => started.includes(key));
          expect(twin ? 'ran' : did, `${id}, ${planned}`).toMatch(outcomes[planned]!);
        }
        const done = Object.keys(states).filter((id) => states[id] !== 'skipped');
        expect(shop.plan(pipeline)).toEqual(Object.fromEntries(done.map((id) => [id, 'hit'])));
        const fresh = await new Shop().run(pipeline);
        expect(digestsOf(result)).toEqual(digestsOf(fresh));
      }
    }),
    { numRuns: 12 },
  );
  expect(Object.keys(met)).toEqual(expect.arrayContaining(['hit: cached', 'miss: ran', 'pending: ran']));
});

/** What a run may do with a stage, by what the plan said. */
const outcomes: Readonly<Record<string, RegExp>> = {
  hit: /^cached$/,
  miss: /^ran$/,
  pending: /^(?:ran|cached|skipped)$/,
  'not needed': /^skipped$/,
};

it('the order of stages and properties in the YAML means nothing', async () => {
  await fc.assert(
    fc.asyncProperty(randomPipeline, fc.nat(), async (random, start) => {
      const shop = new Shop();
      const pipeline = await workshop.load(random);
      const result = await shop.run(pipeline);
      fc.pre(!readsWhatNeverCame(result));
      for (const arranged of [reversed, shuffledBy(start)]) {
        const other = await workshop.load(random, arranged);
        expect(other.stages.map(({ id }) => id)).toEqual(pipeline.stages.map(({ id }) => id));
        expect(Object.entries(shop.plan(other)).filter(([, kind]) => kind !== 'hit')).toEqual([]);
        const again = await shop.run(other);
        expect([again.ran, digestsOf(again)]).toEqual([0, digestsOf(result)]);
      }
    }),
    { numRuns: 20 },
  );
});

const reversed = <T>(entries: T[]): T[] => [...entries].reverse();
const shuffledBy =
  (start: number) =>
  <T>(entries: T[]): T[] =>
    entries
      .map((entry, index) => [Math.imul(start + index, 2_654_435_761) >>> 0, entry] as const)
      .sort(([a], [b]) => a - b)
      .map(([, entry]) => entry);
