import type { StageState } from '../core/event.ts';
import type { CompositeNode } from '../core/pipeline.ts';
import type { Artifact } from '../plan/action-cache.ts';
import type { StageEnd } from './stage-end.ts';

/**
 * The state of a composite stage once all of its steps have ended: that of its worst step. Its metrics are those of its
 * steps; if two have the same name, the later step's is used. `undefined` while a step has not ended.
 */
export function compositeEnd(composite: CompositeNode, ends: ReadonlyMap<string, StageEnd>): StageEnd | undefined {
  const steps: StageEnd[] = [];
  for (const id of composite.steps) {
    const end = ends.get(id);
    if (end === undefined) return undefined;
    steps.push(end);
  }
  const outputs: Record<string, Artifact> = {};
  for (const [port, references] of Object.entries(composite.outputs)) {
    const [reference] = references;
    const artifact = reference?.kind === 'stage' ? ends.get(reference.stage)?.outputs[reference.port] : undefined;
    if (artifact !== undefined) outputs[port] = artifact;
  }
  const state = worst.find((each) => steps.some((step) => step.state === each)) ?? 'cached';
  return {
    state,
    outputs,
    metrics: Object.assign({}, ...steps.map(({ metrics }) => metrics)) as Record<string, number>,
    savedMs: steps.reduce((sum, { savedMs }) => sum + savedMs, 0),
  };
}

const worst: readonly StageState[] = ['failed', 'interrupted', 'skipped', 'ran'];
