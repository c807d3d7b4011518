import type { CompositeNode, Pipeline, StageNode } from '../core/pipeline.ts';

/** A stage as written in the pipeline's YAML: one that runs, or a composite one with its steps. */
export type ShownStage =
  | { readonly node: StageNode; readonly steps?: never }
  | { readonly node: CompositeNode; readonly steps: readonly StageNode[] };

/** The stages of a pipeline as users see them, in running order; a composite one is placed at its first step. */
export function shownStages({ stages, composites }: Pick<Pipeline, 'stages' | 'composites'>): ShownStage[] {
  const byId = new Map(composites.map((composite) => [composite.id, composite]));
  const nodes = new Map(stages.map((node) => [node.id, node]));
  const shown: ShownStage[] = [];
  for (const node of stages) {
    if (node.partOf === undefined) {
      shown.push({ node });
      continue;
    }
    const composite = byId.get(node.partOf);
    if (composite === undefined) continue;
    byId.delete(node.partOf);
    shown.push({ node: composite, steps: composite.steps.flatMap((id) => nodes.get(id) ?? []) });
  }
  // One whose `when`s skip every step runs nothing, but is listed.
  for (const composite of byId.values()) shown.push({ node: composite, steps: [] });
  return shown;
}
