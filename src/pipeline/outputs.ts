import type { Reference, StageDescription } from '../core/pipeline.ts';
import type { Draft } from './draft.ts';
import { evaluate, isTrue, parseExpression, type Value } from './expression.ts';
import { child } from './node.ts';
import type { Problems } from './problems.ts';
import { member } from './vars.ts';

/** The sources of composite stages' outputs, by stage id and port. */
export type OutputSources = ReadonlyMap<string, ReadonlyMap<string, readonly Reference[]>>;

/**
 * Replace references to composite stages by references to the sources of their outputs, and remove those to outputs
 * that their stage's config disables. An input with nothing left is a problem, reported before days of training.
 */
export function settleInputs(
  drafts: readonly Draft[],
  all: readonly Draft[],
  sources: OutputSources,
  problems: Problems,
): Draft[] {
  const byId = new Map(all.map((draft) => [draft.node.id, draft]));
  const settled = (reference: Reference): readonly Reference[] => settle(reference, byId, sources);
  return drafts.map((draft) => {
    const inputs: Record<string, readonly Reference[]> = {};
    for (const [port, references] of Object.entries(draft.node.inputs)) {
      const left = references.flatMap(settled);
      if (left.length > 0) inputs[port] = left;
      else if (references.length > 0 && draft.node.type.inputs[port]?.optional !== true)
        reportEmpty(draft, port, references, byId, problems);
    }
    return { ...draft, node: { ...draft.node, inputs } };
  });
}

/** The target of a reference once composite stages are opened. */
export function settle(
  reference: Reference,
  byId: ReadonlyMap<string, Draft>,
  sources: OutputSources,
): readonly Reference[] {
  if (reference.kind === 'stage') {
    const { stage, port } = reference;
    if (isLeftOut(byId.get(stage), port)) return [];
    const inside = sources.get(stage);
    return inside === undefined ? [reference] : (inside.get(port) ?? []).flatMap((each) => settle(each, byId, sources));
  }
  // The outputs that the reference means in each round; the n-th of every round belong together.
  const perRound = reference.rounds.map((output) => settle({ kind: 'stage', ...output }, byId, sources));
  const count = Math.max(0, ...perRound.map((outputs) => outputs.length));
  return Array.from({ length: count }, (_, index) => ({
    kind: 'last-round' as const,
    rounds: perRound.flatMap((outputs) => {
      const output = outputs[index];
      return output?.kind === 'stage' ? [{ stage: output.stage, port: output.port }] : (output?.rounds ?? []);
    }),
  }));
}

/** Whether the config of a stage disables one of its outputs. */
function isLeftOut(draft: Draft | undefined, port: string): boolean {
  return draft !== undefined && draft.sound && !isMade(draft.node.type, port, draft.node.config);
}

/** Whether an output's `when` holds. */
export function isMade(type: StageDescription, port: string, config: Readonly<Record<string, unknown>>): boolean {
  const when = type.outputs[port]?.when;
  if (when === undefined) return true;
  const parsed = parseExpression(when);
  const value = parsed.ok
    ? evaluate(parsed.value, ([root, ...path]) =>
        root === 'config' ? (member(config as Value, path) ?? null) : undefined,
      )
    : parsed;
  // The build has checked those of the project; in a recipe or a user's own stage, the stage reports the missing output
  // itself.
  return !value.ok || isTrue(value.value);
}

function reportEmpty(
  { stage }: Draft,
  port: string,
  references: readonly Reference[],
  byId: ReadonlyMap<string, Draft>,
  problems: Problems,
): void {
  const [first] = references;
  const output = first?.kind === 'stage' ? first : first?.rounds[0];
  const producer = output === undefined ? undefined : byId.get(output.stage);
  const when = output === undefined ? undefined : producer?.node.type.outputs[output.port]?.when;
  const name = `${producer?.stage.name ?? ''}.${output?.port ?? ''}`;
  const at = child(child(stage.node, 'inputs'), port)?.span ?? stage.at;
  problems.add(
    'empty-input',
    when === undefined
      ? `input \`${port}\` of \`${stage.name}\` is not connected: \`${name}\` is not produced`
      : `input \`${port}\` of \`${stage.name}\` is not connected: \`${name}\` is produced only if \`${when}\``,
    at,
    `change the \`with\` of \`${producer?.stage.name ?? ''}\`, or connect another stage`,
    stage.name,
  );
}
