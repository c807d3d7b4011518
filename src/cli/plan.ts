import { Failure } from '../core/diagnostic.ts';
import type { Change, Freshness } from '../core/event.ts';
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

/** `plan`, `explain` and `run --dry-run`: what the run would do, from the run's own planner. */
export async function planCommand(name: string | undefined, options: PlanOptions): Promise<number> {
  const workspace = await openRunnable(name, options);
  if (!workspace.ok) return refuse(workspace.error, options.json);
  const { pipeline, store } = workspace.value;
  const stages = pipeline.stages.filter(
    (stage) => options.stage === undefined || stage.name === options.stage || stage.id === options.stage,
  );
  if (stages.length === 0)
    return refuse(
      [
        {
          code: 'unknown-stage',
          message: `The pipeline has no stage "${options.stage}".`,
          help: `Its stages are ${pipeline.stages.map((stage) => stage.id).join(', ')}.`,
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
  const width = Math.max(...stages.map((stage) => stage.id.length));
  for (const stage of stages) {
    const freshness = plan.get(stage.id);
    if (!freshness) continue;
    if (options.json) print(JSON.stringify({ v: 1, type: 'stage-planned', stage: stage.id, freshness }));
    else {
      const note = stage.shell || stage.type.type.startsWith('.') ? ' (runs code of yours)' : '';
      print(`${stage.id.padEnd(width)}  ${label(freshness)}  ${reason(freshness)}${note}`);
      if (options.explain && freshness.kind === 'miss')
        for (const change of freshness.changed) print(`${' '.repeat(width)}    ${describe(change)}`);
    }
  }
  return exitCodes.ok;
}

function label(freshness: Freshness): string {
  return { hit: 'hit    ', miss: 'run    ', pending: 'pending' }[freshness.kind];
}

function describe({ ingredient, before, after }: Change): string {
  if (before === undefined && after === undefined) return ingredient;
  return `${ingredient}: ${before ?? '(absent)'} → ${after ?? '(absent)'}`;
}
