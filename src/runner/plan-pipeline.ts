import type { Freshness } from '../core/event.ts';
import type { Pipeline } from '../core/pipeline.ts';
import type { ActionCache } from '../plan/action-cache.ts';
import { Frontier } from '../plan/frontier.ts';
import { planStage, stageMetrics, stageOutputs } from '../plan/planner.ts';

export interface PlanOptions {
  readonly store: ActionCache;
  /** Folder of the contracts' JSON files. */
  readonly contracts: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/**
 * What a run would do with each stage now, by stage id; stages of rounds that are not needed are left out. Throws a
 * Failure when a source can't be read.
 */
export function planPipeline(pipeline: Pipeline, { store, contracts, env }: PlanOptions): Map<string, Freshness> {
  const plan = new Map<string, Freshness>();
  const frontier = new Frontier(pipeline);
  for (let turn = frontier.take(); turn !== undefined; turn = frontier.take()) {
    const { node } = turn;
    if ('blockedBy' in turn) {
      plan.set(node.id, { kind: 'pending', on: turn.blockedBy });
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
  return plan;
}
