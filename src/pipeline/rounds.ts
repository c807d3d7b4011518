import type { Loop, Reference, StageNode } from '../core/pipeline.ts';
import { parseExpression, pathsOf } from './expression.ts';
import { bareExpression } from './instances.ts';
import { child, entriesOf, entryOf, locationOf, stringNodes, stringOf, type Span, type YamlNode } from './node.ts';
import type { Problems } from './problems.ts';
import type { Producers, Typed } from './producers.ts';
import { reportUnknownInput, resolveReference } from './references.ts';
import { suggest } from './suggest.ts';
import type { Vars } from './vars.ts';
import { interpolate, spanInside } from './interpolate.ts';

/** `rounds:` of a pipeline, read and checked. */
export interface Rounds {
  readonly max: number;
  readonly until?: string;
  readonly names: ReadonlySet<string>;
  readonly carry: readonly Carry[];
  readonly at: Span;
}

/** Input `port` of `stage` takes `from` of the previous round. */
export interface Carry {
  readonly stage: string;
  readonly port: string;
  readonly from: string;
  readonly key: Span;
  readonly value: Span;
}

export function readRounds(header: YamlNode, document: YamlNode, vars: Vars, problems: Problems): Rounds | undefined {
  const entry = entryOf(header, 'rounds');
  const max = child(entry?.node, 'max');
  if (
    entry === undefined ||
    max?.kind !== 'scalar' ||
    typeof max.value !== 'number' ||
    !Number.isInteger(max.value) ||
    max.value < 1 ||
    max.value > 1000
  )
    return undefined;
  const known = [...entriesOf(child(document, 'stages')).keys()];
  const names = new Set<string>();
  for (const node of stringNodes(child(entry.node, 'stages'))) {
    if (known.includes(node.value)) names.add(node.value);
    else
      problems.add('unknown-stage', `unknown stage \`${node.value}\``, node.span, suggest(node.value, known, 'stages'));
  }
  const until = readUntil(child(child(document, 'rounds'), 'until'), names, vars, problems);
  return {
    max: max.value,
    names,
    carry: readCarry(child(entry.node, 'carry'), names, problems),
    at: entry.key,
    ...(until === undefined ? {} : { until }),
  };
}

/** The loop as the runner needs it. */
export function toLoop(rounds: Rounds, sorted: readonly StageNode[]): Loop {
  const ids = Array.from({ length: rounds.max }, (_, index) =>
    sorted.filter((stage) => stage.round === index + 1).map((stage) => stage.id),
  );
  return {
    max: rounds.max,
    ...(rounds.until === undefined ? {} : { until: rounds.until }),
    rounds: ids,
    location: locationOf(rounds.at),
  };
}

/**
 * Report stages of the rounds that depend, directly or not, on something that waits for the last round: neither they
 * nor the stages in between could ever start. `sorted` has producers before consumers.
 */
export function reportWaits(
  sorted: readonly StageNode[],
  placeOf: (id: string) => Span | undefined,
  problems: Problems,
) {
  /** By stage that waits for the last round, directly or through its inputs: the path to it from the rounds. */
  const waiting = new Map<string, readonly string[]>();
  const said = new Set<string>();
  for (const { id, name, round, inputs } of sorted) {
    const path = Object.values(inputs)
      .flat()
      .map((reference) => (reference.kind === 'last-round' ? ['the last round'] : waiting.get(reference.stage)))
      .find((each) => each !== undefined);
    if (path === undefined) continue;
    if (round === undefined) waiting.set(id, [...path, id]);
    else if (!said.has(name)) {
      said.add(name);
      const between = path.at(-1) ?? '';
      problems.add(
        'rounds-wait',
        `\`${name}\` is repeated in \`rounds\` and waits for the last of them: ${[...path, name].join(' -> ')}`,
        placeOf(id),
        `repeat \`${between}\` with it, in \`rounds.stages\`, or let \`${name}\` read something else`,
        name,
      );
    }
  }
}

/** Inputs that a looped stage takes from the previous round; none in the first round. */
export function carryInputs(
  stage: Typed,
  rounds: Rounds | undefined,
  producers: Producers,
  problems: Problems,
): Record<string, readonly Reference[]> {
  const inputs: Record<string, readonly Reference[]> = {};
  if (rounds === undefined || stage.round === undefined) return inputs;
  for (const carry of rounds.carry) {
    if (carry.stage !== stage.name) continue;
    const port = Object.hasOwn(stage.type.inputs, carry.port) ? stage.type.inputs[carry.port] : undefined;
    if (port === undefined) {
      reportUnknownInput(stage.type, carry.port, carry.key, stage.name, problems);
      continue;
    }
    if (stage.round === 1) continue;
    const references =
      resolveReference(carry.from, carry.value, {
        consumer: stage,
        portName: carry.port,
        port,
        producers,
        problems,
        previousRound: true,
      }) ?? [];
    if (references.length > 1 && port.many !== true)
      problems.add(
        'too-many-inputs',
        `input \`${carry.port}\` of \`${stage.name}\` takes one artifact, not ${references.length}`,
        carry.value,
        undefined,
        stage.name,
      );
    if (references.length > 0) inputs[carry.port] = references;
  }
  return inputs;
}

function readCarry(node: YamlNode | undefined, names: ReadonlySet<string>, problems: Problems): readonly Carry[] {
  const carries: Carry[] = [];
  for (const [key, entry] of entriesOf(node)) {
    const [stage = '', port = '', ...rest] = key.split('.');
    const from = stringOf(entry.node);
    if (from === undefined) continue;
    if (port === '' || rest.length > 0) {
      problems.add(
        'bad-reference',
        `\`${key}\` is not \`stage.port\``,
        entry.key,
        'write carry as `"stage.input": stage.output`',
      );
      continue;
    }
    const source = /^[A-Za-z0-9_-]*/.exec(from)?.[0] ?? '';
    const places = [
      [stage, entry.key],
      [source, entry.node.span],
    ] as const;
    const outside = places.filter(([name]) => !names.has(name));
    for (const [name, span] of outside)
      problems.add(
        'unknown-stage',
        `\`${name}\` is not among the stages of \`rounds\``,
        span,
        suggest(name, [...names], 'stages of the rounds'),
      );
    if (outside.length === 0) carries.push({ stage, port, from, key: entry.key, value: entry.node.span });
  }
  return carries;
}

/** `until` with vars replaced; the remaining names must be metrics of looped stages. */
function readUntil(
  node: YamlNode | undefined,
  names: ReadonlySet<string>,
  vars: Vars,
  problems: Problems,
): string | undefined {
  if (node?.kind !== 'scalar') return undefined;
  if (typeof node.value !== 'string') return String(node.value);
  let text = bareExpression(node.value);
  if (text.includes('${{')) text = stringOf(interpolate({ ...node, value: text }, vars, problems)) ?? text;
  text = text.trim();
  const parsed = parseExpression(text);
  const inside = (start: number, end: number): Span => {
    const whole = spanInside(node, text);
    return whole === node.span ? whole : { ...whole, start: whole.start + start, end: whole.start + end };
  };
  if (!parsed.ok) {
    problems.add(
      'expression-syntax',
      parsed.error.message,
      inside(parsed.error.start, parsed.error.end),
      parsed.error.help,
    );
    return undefined;
  }
  for (const { path, start, end } of [...pathsOf(parsed.value)].reverse()) {
    const [root = ''] = path;
    if (root === 'vars') {
      const value = vars.lookup(path);
      const alternatives = value === undefined ? vars.alternatives(path) : undefined;
      if (alternatives !== undefined)
        problems.add(
          'unknown-name',
          `unknown name \`${path.join('.')}\``,
          inside(start, end),
          suggest(path.join('.'), alternatives, 'known names'),
        );
      text = text.slice(0, start) + JSON.stringify(value ?? null) + text.slice(end);
    } else if (!names.has(root) || path.length !== 2) {
      const help = names.has(root) ? `write \`${root}.<metric>\`` : suggest(root, [...names], 'stages of the rounds');
      problems.add(
        'unknown-name',
        `\`${path.join('.')}\` is not a metric of a stage in \`rounds\``,
        inside(start, end),
        help,
      );
    }
  }
  return text;
}
