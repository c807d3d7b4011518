import type { Catalogue, StageDescription, StageNode } from '../core/pipeline.ts';
import type { Draft } from './load-pipeline.ts';
import { entriesOf, type YamlEntry, type YamlNode } from './node.ts';
import type { Problems } from './problems.ts';
import type { Typed } from './references.ts';

/**
 * Add the stages that make what inputs with a `madeBy` take, where the pipeline leaves these open. `sign[documents]` goes
 * before `documents`; it may imply stages in its turn.
 */
export async function implyStages(drafts: readonly Draft[], catalogue: Catalogue, draft: (stage: Typed, inputs: StageNode['inputs']) => Draft, problems: Problems): Promise<readonly Draft[]> {
  const all = new Map(drafts.map((each) => [each.node.id, each]));
  const imply = async (consumer: Draft, root: Typed): Promise<void> => {
    const made: Record<string, StageNode['inputs'][string]> = {};
    for (const [port, { contract, madeBy, neededIf = {} }] of Object.entries(consumer.node.type.inputs)) {
      if (madeBy === undefined || consumer.node.inputs[port] !== undefined || !consumer.sound) continue;
      if (Object.entries(neededIf).some(([property, value]) => consumer.node.config[property] !== value)) continue;
      const described = await catalogue.describe(madeBy, '');
      if (!described.ok) {
        problems.addDiagnostic({ ...described.error, location: consumer.node.location, stage: consumer.node.name });
        continue;
      }
      const stage = stageBefore(root, described.value, consumer.stage.node);
      const output = Object.keys(stage.type.outputs).find((name) => stage.type.outputs[name]?.contract === contract);
      if (output === undefined) throw new TypeError(`${madeBy} makes no ${contract}, which input ${port} of ${consumer.node.type.type} takes`);
      if (!all.has(stage.id)) {
        const before = draft(stage, Object.fromEntries(Object.entries(consumer.node.inputs).filter(([name]) => Object.hasOwn(stage.type.inputs, name))));
        all.set(stage.id, before);
        await imply(before, root);
      }
      made[port] = [{ kind: 'stage', stage: stage.id, port: output }];
    }
    if (Object.keys(made).length === 0) return;
    const { node } = all.get(consumer.node.id)!;
    all.set(node.id, { ...consumer, node: { ...node, inputs: { ...node.inputs, ...made } } });
  };
  for (const each of drafts) await imply(each, each.stage);
  return [...all.values()];
}

/** What a stage of the YAML says of one before it: all but its resources, and of its config what that one has too. */
function stageBefore(root: Typed, type: StageDescription, consumer: YamlNode): Typed {
  const round = root.round === undefined ? '' : `@${root.round}`;
  const written = entriesOf(consumer);
  const config = written.get('with');
  const entries = new Map<string, YamlEntry>();
  for (const key of ['retries', 'timeout']) {
    const entry = written.get(key);
    if (entry !== undefined) entries.set(key, entry);
  }
  const known = type.config.properties ?? {};
  if (config?.node.kind === 'map') entries.set('with', { ...config, node: { ...config.node, entries: new Map([...config.node.entries].filter(([key]) => Object.hasOwn(known, key))) } });
  return { ...root, id: `${type.type}[${root.id.slice(0, root.id.length - round.length)}]${round}`, name: `${type.type}[${root.name}]`, type, node: { kind: 'map', span: consumer.span, entries } };
}
