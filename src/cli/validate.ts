import { shownStages } from '../plan/shown-stages.ts';
import type { Result } from '../core/result.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { StageDescription } from '../core/pipeline.ts';
import { plural } from '../reporting/format.ts';
import { suggest } from '../pipeline/suggest.ts';
import { exitCodes, print, refuse } from './exit.ts';
import { drawGraph, type GraphFormat } from './graph.ts';
import { describeStage, listStages } from './stages.ts';
import { openCatalogue, openRunnable, openWorkspace, projectOf, storeRoot, type PipelineOptions } from './workspace.ts';

/** `validate`: every problem of a pipeline file, or that it is valid. */
export async function validateCommand(
  name: string | undefined,
  options: PipelineOptions & { json?: boolean },
): Promise<number> {
  const workspace = await openRunnable(name, options);
  if (!workspace.ok) return refuse(workspace.error, options.json);
  const { pipeline } = workspace.value;
  const stages = shownStages(pipeline).length;
  print(
    options.json
      ? JSON.stringify({ v: 1, type: 'valid', pipeline: pipeline.name, stages })
      : `${pipeline.name}: ${plural(stages, 'stage')}, valid`,
  );
  return exitCodes.ok;
}

/** `graph`: the DAG as text. */
export async function graphCommand(
  name: string | undefined,
  options: PipelineOptions & { format: GraphFormat },
): Promise<number> {
  const workspace = await openWorkspace(name, options);
  if (!workspace.ok) return refuse(workspace.error);
  print(drawGraph(workspace.value.pipeline, options.format));
  return exitCodes.ok;
}

/** `stages [type]`: list the stage types, or document one. */
export async function stagesCommand(type: string | undefined, options: { json?: boolean }): Promise<number> {
  const catalogue = openCatalogue(storeRoot(undefined, projectOf(`${process.cwd()}/x`)));
  const names = catalogue.list().map((stage) => stage.type);
  const found: Result<StageDescription, Diagnostic>[] = [];
  for (const name of type === undefined ? names : [type]) found.push(await catalogue.describe(name, process.cwd()));
  const stages = found.flatMap((result) => (result.ok ? [result.value] : []));
  const problems = found.flatMap((result) => (result.ok ? [] : [result.error]));
  if (problems.length > 0)
    return refuse(
      problems.map((problem) => withSuggestion(problem, type ?? '', names)),
      options.json,
    );
  if (options.json) for (const stage of stages) print(JSON.stringify(stage));
  else print(type === undefined ? listStages(stages) : describeStage(stages[0]!));
  return exitCodes.ok;
}

function withSuggestion(problem: Diagnostic, name: string, types: readonly string[]): Diagnostic {
  const help = problem.code === 'unknown-stage-type' ? suggest(name, types, 'stage types') : undefined;
  return help === undefined ? problem : { ...problem, help };
}
