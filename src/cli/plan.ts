import { Failure } from '../core/diagnostic.ts';
import type { Change, Freshness } from '../core/event.ts';
import type { StageNode } from '../core/pipeline.ts';
import { isPath } from '../core/paths.ts';
import { stepName } from '../core/step-name.ts';
import { shownStages } from '../plan/shown-stages.ts';
import { planPipeline } from '../runner/plan-pipeline.ts';
import { reason } from '../reporting/stage-lines.ts';
import { exitCodes, print, refuse } from './exit.ts';
import { contracts, openRunnable, type PipelineOptions } from './workspace.ts';

export interface PlanOptions extends PipelineOptions {
  readonly json?: boolean;
  /** Print every changed ingredient, old and new. */
  readonly explain?: boolean;
  /** Only this stage. */
  readonly stage?: string;
}

/** `plan`, `explain` and `run --dry-run`: what a run would do, from the run's own planner. */
export async function planCommand(name: string | undefined, options: PlanOptions): Promise<number> {
  const workspace = await openRunnable(name, options);
  if (!workspace.ok) return refuse(workspace.error, options.json);
  const { pipeline, store } = workspace.value;
  const shown = shownStages(pipeline);
  const stages = shown.filter(
    ({ node }) => options.stage === undefined || node.name === options.stage || node.id === options.stage,
  );
  if (stages.length === 0)
    return refuse(
      [
        {
          code: 'unknown-stage',
          message: `The pipeline does not have a stage "${options.stage}".`,
          help: `Its stages are ${shown.map(({ node }) => node.id).join(', ')}.`,
        },
      ],
      options.json,
    );
  let plan: ReturnType<typeof planPipeline>;
  try {
    plan = planPipeline(pipeline, { store, contracts, env: process.env });
  } catch (error) {
    if (error instanceof Failure) return refuse([error.diagnostic], options.json);
    throw error;
  }
  const lines = stages.flatMap(({ node, steps }) => [
    {
      id: node.id,
      label: node.id,
      isComposite: steps !== undefined,
      runsOwnCode: steps === undefined && isOwnCode(node),
    },
    ...(steps ?? []).map((step) => ({
      id: step.id,
      label: `  ${stepName(node.id, step.id)}`,
      isComposite: false,
      runsOwnCode: isOwnCode(step),
    })),
  ]);
  const width = Math.max(...lines.map(({ label: text }) => text.length));
  for (const { id, label: text, isComposite, runsOwnCode } of lines) {
    const freshness = plan.get(id);
    if (!freshness) continue;
    if (options.json) print(JSON.stringify({ v: 1, type: 'stage-planned', stage: id, freshness }));
    else {
      const note = runsOwnCode ? ' (runs your code)' : '';
      print(`${text.padEnd(width)}  ${label(freshness)}  ${reason(freshness)}${note}`);
      if (options.explain && freshness.kind === 'miss' && !isComposite)
        for (const change of freshness.changed) print(`${' '.repeat(width)}    ${describe(change)}`);
    }
  }
  return exitCodes.ok;
}

const isOwnCode = ({ shell, type }: StageNode): boolean => shell !== undefined || isPath(type.type);

function label(freshness: Freshness): string {
  return { hit: 'hit    ', miss: 'run    ', pending: 'pending' }[freshness.kind];
}

function describe({ ingredient, before, after }: Change): string {
  if (before === undefined && after === undefined) return ingredient;
  return `${ingredient}: ${before ?? '(absent)'} → ${after ?? '(absent)'}`;
}
