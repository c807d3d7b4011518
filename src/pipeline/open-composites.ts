import type { CompositeNode, Reference, StageDescription, StageNode } from '../core/pipeline.ts';
import { connect, stepOf, type LoadContext } from './connect.ts';
import type { Draft } from './draft.ts';
import { settle, settleInputs } from './outputs.ts';
import type { Producers, Typed } from './producers.ts';
import { recipeScope, withoutNulls } from './recipe-scope.ts';
import { resolveReference } from './references.ts';
import type { JsonSchema } from './schema.ts';
import { unroll } from './unroll.ts';

/** A pipeline with its composite stages replaced by their steps. */
export interface Opened {
  /** Every stage with a resolved config, including composite ones. */
  readonly all: readonly Draft[];
  /** The stages that run, with inputs only from each other. */
  readonly running: readonly Draft[];
  /** Composite stages of the pipeline's own YAML, with their steps ordered by name. */
  readonly composites: readonly CompositeNode[];
}

/** Open composite stages, including those among their steps. */
export async function openComposites(
  drafts: readonly Draft[],
  schema: JsonSchema,
  context: LoadContext,
): Promise<Opened> {
  const all: Draft[] = [];
  const leaves: Draft[] = [];
  const sources = new Map<string, ReadonlyMap<string, readonly Reference[]>>();
  const open = async (draft: Draft, inside: readonly StageDescription[]): Promise<void> => {
    all.push(draft);
    const { stage } = draft;
    if (stage.recipe === undefined) {
      leaves.push(draft);
      return;
    }
    if (!draft.sound) return;
    if (inside.includes(stage.type)) {
      const { type } = stage.type;
      context.problems.add(
        'recipe-cycle',
        `the recipe ${type} uses itself`,
        stage.at,
        'a recipe may use any recipe but itself',
        stage.name,
      );
      return;
    }
    const { drafts: steps, outputs } = await inner(draft, schema, context);
    sources.set(draft.node.id, outputs);
    for (const step of steps) await open(step, [...inside, stage.type]);
  };
  for (const draft of drafts) await open(draft, []);

  const running = settleInputs(leaves, all, sources, context.problems);
  const byId = new Map(all.map((draft) => [draft.node.id, draft]));
  const stepsOf = new Map<string, string[]>();
  for (const { node } of running)
    if (node.partOf !== undefined) {
      const steps = stepsOf.get(node.partOf);
      if (steps === undefined) stepsOf.set(node.partOf, [node.id]);
      else steps.push(node.id);
    }
  const composites = drafts
    .filter(({ stage }) => stage.recipe !== undefined)
    .map(({ node: { id, name, type, location } }): CompositeNode => {
      const outputs = Object.keys(type.outputs).map((port) => [
        port,
        settle({ kind: 'stage', stage: id, port }, byId, sources),
      ]);
      return {
        id,
        name,
        type,
        steps: stepsOf.get(id) ?? [],
        outputs: Object.fromEntries(outputs) as CompositeNode['outputs'],
        location,
      };
    });
  return { all, running, composites };
}

interface Inside {
  readonly drafts: readonly Draft[];
  readonly outputs: ReadonlyMap<string, readonly Reference[]>;
}

/** The connected steps of a composite stage, and the sources of its outputs. */
async function inner(composite: Draft, schema: JsonSchema, context: LoadContext): Promise<Inside> {
  const { stage } = composite;
  const { problems } = context;
  const recipe = stage.recipe!;
  const scope = recipeScope(composite);
  const steps = unroll(recipe.stages, { scope, roundsOf: () => undefined, schema, problems });
  const instances = new Map(
    [...steps].map(([name, all]) => [
      name,
      all.map((each) => stepOf(composite, { ...each, node: withoutNulls(each.node) })),
    ]),
  );
  const { directory } = recipe.stages.span.source;
  const { drafts, producers, isOrdered } = await connect(instances, { directory, composite }, context);
  return { drafts: isOrdered ? drafts : [], outputs: outputsOf(stage, producers, context) };
}

function outputsOf(stage: Typed, producers: Producers, { problems }: LoadContext): Map<string, readonly Reference[]> {
  const outputs = new Map<string, readonly Reference[]>();
  // The outside of a composite stage does not have a matrix to select by.
  const consumer: Typed = { ...stage, matrix: {} };
  for (const [portName, from] of stage.recipe!.from) {
    const port = stage.type.outputs[portName];
    let found: readonly Reference[] = [];
    for (const { value, span } of from)
      if (found.length === 0)
        found = resolveReference(value, span, { consumer, portName, port, producers, problems }) ?? [];
    outputs.set(portName, found);
  }
  return outputs;
}

/** Put the steps of composite stages in the order of a sorted pipeline. */
export function inOrder(composites: readonly CompositeNode[], sorted: readonly StageNode[]): CompositeNode[] {
  const place = new Map(sorted.map(({ id }, index) => [id, index]));
  return composites.map((composite) => ({
    ...composite,
    steps: [...composite.steps].sort((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0)),
  }));
}
