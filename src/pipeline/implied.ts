import type { Catalogue, StageDescription, StageNode } from '../core/pipeline.ts';
import type { Draft } from './load-pipeline.ts';
import { entriesOf, nodeOf, type YamlEntry } from './node.ts';
import type { Problems } from './problems.ts';
import type { Typed } from './references.ts';

/**
 * Add the stages that make inputs with a `madeBy`. `sign[documents]` goes before `documents`; it may imply stages in
 * its
 * turn. Two inputs that the same stage type makes come from one stage.
 */
export async function implyStages(
  drafts: readonly Draft[],
  catalogue: Catalogue,
  draft: (stage: Typed, inputs: StageNode['inputs']) => Draft,
  problems: Problems,
): Promise<readonly Draft[]> {
  const all = new Map(drafts.map((each) => [each.node.id, each]));
  const imply = async (consumer: Draft, root: Typed): Promise<void> => {
    if (!consumer.sound) return;
    const { node } = consumer;
    const made: Record<string, StageNode['inputs'][string]> = {};
    for (const [port, { madeBy, neededIf = {} }] of Object.entries(node.type.inputs)) {
      if (madeBy === undefined || Object.entries(neededIf).some(([property, value]) => node.config[property] !== value))
        continue;
      const maker = await makerOf(node.type, port, madeBy, catalogue);
      if (typeof maker === 'string') {
        problems.add(
          'bad-stage-type',
          `\`${node.type.type}\` says that \`${madeBy}\` makes its input \`${port}\`, but that ${maker}`,
          root.at,
          undefined,
          root.name,
        );
        continue;
      }
      const { type, output } = maker;
      // said already: this stage needs it too
      if (requiredInputs(type).some((name) => node.inputs[name] === undefined)) continue;
      const stage = stageBefore(root, type, consumer);
      if (!all.has(stage.id)) {
        const before: Draft = {
          ...draft(
            stage,
            Object.fromEntries(Object.entries(node.inputs).filter(([name]) => Object.hasOwn(stage.type.inputs, name))),
          ),
          implied: true,
        };
        all.set(stage.id, before);
        await imply(before, root);
      }
      made[port] = [{ kind: 'stage', stage: stage.id, port: output }];
    }
    all.set(node.id, { ...consumer, node: { ...node, inputs: { ...node.inputs, ...made } } });
  };
  for (const each of drafts) await imply(each, each.stage);
  return [...all.values()];
}

/** The stage type that makes an input and the output that it makes it with, or why it can't. */
async function makerOf(
  consumer: StageDescription,
  port: string,
  madeBy: string,
  catalogue: Catalogue,
): Promise<{ readonly type: StageDescription; readonly output: string } | string> {
  const described = catalogue.types().includes(madeBy) ? await catalogue.describe(madeBy, '') : undefined;
  if (described?.ok !== true) return 'is no stage type of the project';
  const { value: type } = described;
  const contract = consumer.inputs[port]?.contract;
  const output = Object.keys(type.outputs).find((name) => type.outputs[name]?.contract === contract);
  if (output === undefined) return `makes no \`${contract ?? ''}\``;
  const lacking = requiredInputs(type).find((name) => !Object.hasOwn(consumer.inputs, name));
  return lacking === undefined ? { type, output } : `takes an input \`${lacking}\`, which \`${consumer.type}\` has not`;
}

function requiredInputs({ inputs }: StageDescription): string[] {
  return Object.keys(inputs).filter((name) => inputs[name]?.optional !== true && inputs[name]?.madeBy === undefined);
}

/**
 * What the stage of the YAML that is behind it all says of one that goes before it: how to run it, and those of its
 * config's values that that one has too.
 */
function stageBefore(root: Typed, type: StageDescription, { node: { config }, stage: { node } }: Draft): Typed {
  const round = root.round === undefined ? '' : `@${root.round}`;
  const written = entriesOf(node);
  const entries = new Map<string, YamlEntry>();
  // One that works on everything at once is what memory is asked for; one that works shard by shard is not.
  for (const key of ['retries', 'timeout', ...(type.map === undefined ? ['resources'] : [])]) {
    const entry = written.get(key);
    if (entry !== undefined) entries.set(key, entry);
  }
  const values = Object.keys(type.config.properties ?? {})
    .filter((property) => Object.hasOwn(config, property))
    .map((property): [string, YamlEntry] => [
      property,
      entriesOf(written.get('with')?.node).get(property) ?? { key: root.at, node: nodeOf(config[property], root.at) },
    ]);
  entries.set('with', { key: root.at, node: { kind: 'map', span: root.at, entries: new Map(values) } });
  return {
    ...root,
    id: `${type.type}[${root.id.slice(0, root.id.length - round.length)}]${round}`,
    name: `${type.type}[${root.name}]`,
    type,
    node: { kind: 'map', span: root.at, entries },
  };
}
