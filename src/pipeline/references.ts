import type { Reference, StageDescription, StageOutput } from '../core/pipeline.ts';
import { mainOutput, type Port } from '../core/stage.ts';
import type { Instance } from './instances.ts';
import { folderStage } from './model-folders.ts';
import { child, entriesOf, stringNodes, type Scalar, type Span } from './node.ts';
import { isPath } from '../core/paths.ts';
import type { Problems } from './problems.ts';
import type { Named, Producers, Typed } from './producers.ts';
import { parseReference, type WrittenReference } from './reference-syntax.ts';
import { suggest } from './suggest.ts';

/** An input that a reference fills. */
export interface Edge {
  readonly consumer: Typed;
  readonly portName: string;
  readonly port: Port | undefined;
  readonly producers: Producers;
  readonly problems: Problems;
  /** The reference is to a result of the previous round. */
  readonly previousRound?: boolean;
}

/** Resolve the `inputs` of one instance and check them against its ports. */
export function resolveInputs(
  consumer: Typed,
  producers: Producers,
  problems: Problems,
): Record<string, readonly Reference[]> {
  const inputs: Record<string, readonly Reference[]> = {};
  const node = child(consumer.node, 'inputs');
  if (node !== undefined && node.kind !== 'map') return inputs; // already reported by the schema
  const written = entriesOf(node);
  for (const [portName, entry] of written) {
    const port = consumer.type.inputs[portName];
    if (port === undefined || !Object.hasOwn(consumer.type.inputs, portName)) {
      reportUnknownInput(consumer.type, portName, entry.key, consumer.name, problems);
      continue;
    }
    const resolved = stringNodes(entry.node).map((item) =>
      resolveReference(item.value, item.span, { consumer, portName, port, producers, problems }),
    );
    const references = resolved.flatMap((each) => each ?? []);
    if (references.length > 1 && port.many !== true) {
      problems.add(
        'too-many-inputs',
        `input \`${portName}\` of \`${consumer.name}\` takes one artifact, not ${references.length} ` +
          `(${references.slice(0, 4).map(labelOf).join(', ')}${references.length > 4 ? ', …' : ''})`,
        entry.node.span,
        'name one, or give this stage the same `matrix`',
        consumer.name,
      );
    } else if (references.length > 0) inputs[portName] = references;
    else if (port.optional !== true && resolved.length > 0 && !resolved.includes(undefined)) {
      problems.add(
        'missing-input',
        `input \`${portName}\` of \`${consumer.name}\` is not connected: every stage it names is disabled ` +
          `by its \`when\``,
        entry.key,
        `give \`${consumer.name}\` the same \`when\``,
        consumer.name,
      );
    }
  }
  for (const [portName, port] of Object.entries(consumer.type.inputs)) {
    if (
      written.has(portName) ||
      port.optional === true ||
      (producers.carried.has(`${consumer.name}.${portName}`) && (consumer.round ?? 1) > 1)
    )
      continue;
    problems.add(
      'missing-input',
      `\`${consumer.name}\` needs an input \`${portName}\` (${port.description || port.contract})`,
      consumer.at,
      `add \`inputs: { ${portName}: <stage> }\`${candidates(port, consumer, producers)}`,
      consumer.name,
    );
  }
  return inputs;
}

/**
 * Resolve one `stage`, `stage.port` or `stage[key=value].port` to every instance that it means: none if `when` disables
 * them all, `undefined` after a problem.
 */
export function resolveReference(text: string, at: Span, edge: Edge): readonly Reference[] | undefined {
  const { consumer, portName, port, producers, problems, previousRound = false } = edge;
  const isFolder = isPath(text);
  const importer = port === undefined ? undefined : producers.importers[port.contract];
  if (isFolder && importer === undefined) {
    problems.add(
      'bad-reference',
      `\`${text}\` is a path, but input \`${portName}\` of \`${consumer.name}\` takes ` +
        `${port?.contract === anyContract ? 'the output of a stage' : `\`${port?.contract ?? ''}\``}`,
      at,
      port?.contract === anyContract
        ? 'let the script read the files itself'
        : 'only a model or a tokenizer can be given as a folder; otherwise name a stage that reads these files',
      consumer.name,
    );
    return undefined;
  }
  const written =
    importer !== undefined && isFolder
      ? { name: folderStage(importer, text, at, producers.directory) }
      : parseReference(text);
  if (written === undefined) {
    problems.add(
      'bad-reference',
      `\`${text}\` is not a reference`,
      at,
      `write \`stage\` or ` +
        `\`stage.port\`${importer !== undefined && text.includes('/') ? `, or the path of a folder: \`./${text.trim()}\`` : ''}`,
      consumer.name,
    );
    return undefined;
  }
  const { name, selection, port: wanted }: WrittenReference = written;
  if (name === 'inputs' && producers.outer !== undefined) return outerInput(text, wanted, at, edge);
  const all = producers.byName.get(name);
  if (all === undefined) {
    problems.add(
      'unknown-stage',
      `unknown stage \`${name}\``,
      at,
      suggest(name, [...producers.byName.keys()], 'stages'),
      consumer.name,
    );
    return undefined;
  }
  const round = previousRound ? (consumer.round ?? 1) - 1 : consumer.round;
  const chosen = (selection === undefined ? agreeing(all, consumer.matrix) : selected(all, selection)).filter(
    (each) => consumer.round === undefined || each.round === undefined || each.round === round,
  );
  if (chosen.length === 0) {
    if (all.length > 0)
      problems.add(
        'unknown-stage',
        `no instance of \`${name}\` matches \`${selection ?? consumer.id}\``,
        at,
        suggest(
          selection ?? '',
          [...new Set(all.map((each) => each.id.slice(name.length).replace(/@\d+$/, '')))],
          'instances',
        ),
        consumer.name,
      );
    return undefined;
  }
  if (chosen.some((each) => each.type === undefined)) return undefined;
  const on = chosen.filter((each) => each.on);
  const lasting = new Map<string, StageOutput[]>();
  const references: Reference[] = [];
  for (const each of on) {
    if (each.type === undefined) continue;
    const from = outputPort(each as Typed, wanted, at, edge);
    if (from === undefined) return undefined;
    const given = each.type.outputs[from]?.contract ?? '';
    if (!fits(given, text, at, edge)) return undefined;
    if (each.round === undefined || consumer.round !== undefined)
      references.push({ kind: 'stage', stage: each.id, port: from });
    else {
      const key = each.id.replace(/@\d+$/, '');
      lasting.set(key, [...(lasting.get(key) ?? []), { stage: each.id, port: from }]);
    }
  }
  for (const rounds of lasting.values()) references.push({ kind: 'last-round', rounds });
  return references;
}

/** Report an input that a stage type does not have. */
export function reportUnknownInput(
  type: StageDescription,
  name: string,
  at: Span,
  stage: string,
  problems: Problems,
): void {
  problems.add(
    'unknown-port',
    `\`${type.type}\` does not have an input \`${name}\``,
    at,
    suggest(name, Object.keys(type.inputs), 'its inputs'),
    stage,
  );
}

/**
 * The stages connected to input `wanted` of the enclosing composite stage; none if it is optional and not connected.
 */
function outerInput(text: string, wanted: string | undefined, at: Span, edge: Edge): readonly Reference[] | undefined {
  const { consumer, producers, problems } = edge;
  const { stage, inputs } = producers.outer!;
  const declared = wanted === undefined ? undefined : stage.type.inputs[wanted];
  if (wanted === undefined || declared === undefined) {
    reportUnknownInput(stage.type, wanted ?? '', at, consumer.name, problems);
    return undefined;
  }
  if (!fits(declared.contract, text, at, edge)) return undefined;
  return inputs[wanted] ?? [];
}

/** The instances that `[key=value,…]` selects. */
function selected(all: readonly Named[], selection: string): readonly Named[] {
  const wanted = selection.split(',').map((part) => part.split('=').map((each) => each.trim()));
  return all.filter(({ matrix }) =>
    wanted.every(([key = '', value]) => Object.hasOwn(matrix, key) && String(matrix[key]) === value),
  );
}

type Matrix = Readonly<Record<string, Scalar>>;
const groupings = new WeakMap<readonly Named[], Map<string, Map<string, Named[]>>>();

/**
 * The instances with the consumer's values of every matrix key that both have. Instances are grouped once per set of
 * keys: two matrices of 5,000 would otherwise need 25 million comparisons.
 */
function agreeing(all: readonly Named[], consumer: Matrix): readonly Named[] {
  const keys = Object.keys(all[0]?.matrix ?? {}).filter((key) => Object.hasOwn(consumer, key));
  if (keys.length === 0) return all;
  const valuesOf = (matrix: Matrix): string => JSON.stringify(keys.map((key) => matrix[key]));
  const byKeys = groupings.get(all) ?? new Map<string, Map<string, Named[]>>();
  groupings.set(all, byKeys);
  let groups = byKeys.get(keys.join());
  if (groups === undefined) {
    groups = new Map();
    for (const each of all) {
      const values = valuesOf(each.matrix);
      const group = groups.get(values);
      if (group === undefined) groups.set(values, [each]);
      else group.push(each);
    }
    byKeys.set(keys.join(), groups);
  }
  return groups.get(valuesOf(consumer)) ?? [];
}

/**
 * The output that a reference means: the one it names, the only one with the right contract, the one with the port's
 * name, or the main one.
 */
function outputPort(
  producer: Typed,
  wanted: string | undefined,
  at: Span,
  { portName, port, consumer, problems }: Edge,
): string | undefined {
  const outputs = producer.type.outputs;
  const names = Object.keys(outputs);
  if (wanted !== undefined) {
    if (Object.hasOwn(outputs, wanted)) return wanted;
    problems.add(
      'unknown-port',
      `\`${producer.name}\` (${producer.type.type}) does not have an output \`${wanted}\``,
      at,
      suggest(wanted, names, 'its outputs'),
      consumer.name,
    );
    return undefined;
  }
  const fitting = names.filter((name) => outputs[name]?.contract === port?.contract);
  if (fitting.length === 1) return fitting[0];
  if (Object.hasOwn(outputs, portName)) return portName;
  const main = mainOutput(outputs);
  if (main !== undefined) return main;
  if (names.length === 0)
    problems.add(
      'unknown-port',
      `\`${producer.name}\` (${producer.type.type}) does not have any outputs`,
      at,
      undefined,
      consumer.name,
    );
  else
    problems.add(
      'ambiguous-output',
      `\`${producer.name}\` has several outputs; name one`,
      at,
      names.map((name) => `\`${producer.name}.${name}\``).join(' or '),
      consumer.name,
    );
  return undefined;
}

function fits(given: string, text: string, at: Span, { port, portName, consumer, producers, problems }: Edge): boolean {
  if (port === undefined || given === port.contract || port.contract === anyContract) return true;
  problems.add(
    'contract-mismatch',
    `\`${text}\` is \`${given}\`, but input \`${portName}\` of \`${consumer.name}\` takes \`${port.contract}\`\n` +
      producers.contracts.sideBySide(given, port.contract),
    at,
    candidates(port, consumer, producers).replace(/^, for example/, 'perhaps') || undefined,
    consumer.name,
  );
  return false;
}

/** Contract of a shell step's inputs: any. */
export const anyContract = '*';

/** Stages with an output that fits a port. */
function candidates(port: Port, consumer: Instance, producers: Producers): string {
  const fitting: string[] = [];
  for (const [name, instances] of producers.byName) {
    const type = instances[0]?.type;
    if (name === consumer.name || type === undefined) continue;
    for (const [output, { contract }] of Object.entries(type.outputs)) {
      if (contract === port.contract)
        fitting.push(mainOutput(type.outputs) === output ? `\`${name}\`` : `\`${name}.${output}\``);
    }
    if (fitting.length > 3) break;
  }
  return fitting.length === 0 ? '' : `, for example ${fitting.slice(0, 3).join(', ')}`;
}

function labelOf(reference: Reference): string {
  return (reference.kind === 'stage' ? reference : reference.rounds.at(-1))?.stage ?? '';
}
