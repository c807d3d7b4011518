import type { Freshness } from '../core/event.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { ActionCache } from '../plan/action-cache.ts';
import { Frontier } from '../plan/frontier.ts';
import { planStage, stageMetrics, stageOutputs } from '../plan/planner.ts';
import { stepName } from '../core/step-name.ts';

export interface PlanOptions {
  readonly store: ActionCache;
  /** Folder of the contracts' JSON files. */
  readonly contracts: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What a run would do with each stage now, by stage id; stages of unneeded rounds are omitted. Throws a Failure if a
 * source cannot be read.
 */
export function planPipeline(pipeline: Pipeline, { store, contracts, env }: PlanOptions): Map<string, Freshness> {
  const plan = new Map<string, Freshness>();
  const frontier = new Frontier(pipeline);
  /** By step of a composite stage: the stages outside it that the step waits for. */
  const waitsFor = new Map<string, readonly string[]>();
  const partOf = new Map(pipeline.stages.map((node) => [node.id, node.partOf]));
  for (let turn = frontier.take(); turn !== undefined; turn = frontier.take()) {
    const { node } = turn;
    if ('blockedBy' in turn) {
      // A step's siblings are listed under their own names; steps of other stages under their composite stage.
      const named = turn.blockedBy.map((id) => {
        const composite = partOf.get(id);
        if (composite === undefined) return id;
        return composite === node.partOf ? stepName(composite, id) : composite;
      });
      if (node.partOf !== undefined) {
        const outside = turn.blockedBy.filter((id) => partOf.get(id) !== node.partOf);
        waitsFor.set(
          node.id,
          outside.map((id) => partOf.get(id) ?? id),
        );
      }
      plan.set(node.id, { kind: 'pending', on: [...new Set(named)] });
      frontier.settle(node.id, undefined);
      continue;
    }
    const { freshness, actions } = planStage(node, turn.inputs, {
      cache: store,
      pipeline: pipeline.name,
      contracts,
      env,
    });
    plan.set(node.id, freshness);
    const records = actions.flatMap(({ hit }) => hit ?? []);
    frontier.settle(
      node.id,
      freshness.kind === 'hit' ? { outputs: stageOutputs(node, records), metrics: stageMetrics(records) } : undefined,
    );
  }
  for (const { id, steps } of pipeline.composites) {
    const freshness = together(id, steps, plan, waitsFor);
    if (freshness !== undefined) plan.set(id, freshness);
  }
  return plan;
}

/** What a run would do with a composite stage. Changed ingredients are prefixed by step: `signatures.config.method`. */
function together(
  id: string,
  steps: readonly string[],
  plan: ReadonlyMap<string, Freshness>,
  waitsFor: ReadonlyMap<string, readonly string[]>,
): Freshness | undefined {
  const known = steps.flatMap((step) => {
    const freshness = plan.get(step);
    return freshness === undefined ? [] : [{ step, freshness }];
  });
  if (known.length < steps.length) return undefined;
  const changed = known.flatMap(({ step, freshness }) =>
    freshness.kind === 'miss'
      ? freshness.changed.map((change) => ({ ...change, ingredient: `${stepName(id, step)}.${change.ingredient}` }))
      : [],
  );
  if (known.some(({ freshness }) => freshness.kind === 'miss')) return { kind: 'miss', changed };
  const on = steps.flatMap((step) => waitsFor.get(step) ?? []);
  if (known.some(({ freshness }) => freshness.kind === 'pending')) return { kind: 'pending', on: [...new Set(on)] };
  const savedMs = known.reduce((sum, { freshness }) => sum + (freshness.kind === 'hit' ? freshness.savedMs : 0), 0);
  return { kind: 'hit', savedMs };
}
