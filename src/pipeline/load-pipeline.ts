import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, join, resolve } from 'node:path';
import type { BackendChoice } from '../core/backend.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { Catalogue, Pipeline, Resources, StageDescription, StageNode } from '../core/pipeline.ts';
import { err, ok, type Result } from '../core/result.ts';
import { checkConfigs } from './check-configs.ts';
import {
  describeShell,
  envOf,
  resolveConfig,
  scriptOf,
  settingsOf,
  type Inherited,
  type ResolveBackend,
  type ResolvedConfig,
  type Settings,
} from './config.ts';
import { Contracts } from './contracts.ts';
import { checkEmptyInputs } from './empty-inputs.ts';
import { implyStages } from './implied.ts';
import { instancesOf, type Instance } from './instances.ts';
import { interpolate } from './interpolate.ts';
import { child, entriesOf, locationOf, stringOf, valueOf, type YamlNode } from './node.ts';
import { modelFolders } from './model-folders.ts';
import { orderStages } from './order.ts';
import { applyOverrides } from './overrides.ts';
import { Problems } from './problems.ts';
import { readDocument } from './read.ts';
import { anyContract, resolveInputs, type Producers, type Typed } from './references.ts';
import { carryInputs, readRounds, reportWaits, toLoop, type Rounds } from './rounds.ts';
import { validate, type JsonSchema } from './schema.ts';
import { suggest } from './suggest.ts';
import { Vars } from './vars.ts';

export interface LoadOptions {
  readonly file: string;
  /** `--set` arguments: `vars.x=1`, `stages.tokenize.with.max_length=128`. */
  readonly set: readonly string[];
  readonly catalogue: Catalogue;
  /** `schemas/contracts`; `pipeline.schema.json` lies beside it. */
  readonly contracts: string;
  readonly resolveBackend: ResolveBackend;
}

/** A stage whose inputs and config are resolved, before cycles are looked for. */
export interface Draft {
  readonly node: StageNode;
  readonly stage: Typed;
  readonly sound: boolean;
  /** The pipeline means it without writing it; see {@link implyStages}. */
  readonly implied?: boolean;
}

/**
 * Load a pipeline: read, include, `--set`, validate, interpolate, unroll, connect and check. Everything wrong is said
 * at once.
 */
export async function loadPipeline(options: LoadOptions): Promise<Result<Pipeline, readonly Diagnostic[]>> {
  const problems = new Problems();
  const read = await readDocument(options.file, problems);
  if (read === undefined) return err(problems.list());
  const document = applyOverrides(read, options.set, problems);
  const schema = JSON.parse(
    await readFile(join(options.contracts, '..', 'pipeline.schema.json'), 'utf8'),
  ) as JsonSchema;
  validate(
    schema,
    valueOf(document),
    { node: document, at: document.span, name: 'the pipeline', templates: true },
    problems,
  );

  const vars = new Vars(child(document, 'vars'), problems);
  vars.checkAll();
  const header = interpolateHeader(document, vars, schema, problems);
  const rounds = readRounds(header, document, vars, problems);
  const directory = dirname(resolve(options.file));
  const contracts = new Contracts(options.contracts);
  const typed = (instances: ReadonlyMap<string, readonly Instance[]>) =>
    withTypes(instances, options.catalogue, contracts, problems);
  const written = await typed(unroll(document, rounds, vars, schema, problems));
  const producers: Producers = {
    byName: new Map([...written, ...(await typed(modelFolders(written, directory)))]),
    directory,
    contracts,
    carried: new Set(rounds?.carry.map((carry) => `${carry.stage}.${carry.port}`)),
  };
  const draft = (stage: Typed, inputs: StageNode['inputs']): Draft =>
    draftOf(stage, inputs, header, inherited(header, options), problems);
  const connected = connect(producers, rounds, draft, problems);
  const drafts = await implyStages(connected, options.catalogue, draft, problems);
  const { sorted, cycles } = orderStages(drafts.map(({ node }) => node));
  // Of stages that the pipeline writes: one that it implies is in a circle only where these are.
  if (cycles.length > 0) reportCycles(orderStages(connected.map(({ node }) => node)).cycles, connected, problems);
  if (rounds !== undefined)
    reportWaits(sorted, (id) => connected.find(({ node }) => node.id === id)?.stage.at, problems);
  await checkConfigs(drafts, options.catalogue, problems);
  checkEmptyInputs(drafts, problems);
  if (problems.count > 0) return err(problems.list());
  const loop = rounds === undefined ? undefined : toLoop(rounds, sorted);
  const file = resolve(options.file);
  return ok({
    name: stringOf(child(header, 'name')) ?? basename(file, extname(file)),
    file,
    stages: sorted,
    ...(loop === undefined ? {} : { loop }),
    warnings: [],
  });
}

/** Everything but vars and stages, with its expressions computed; validated again where that changed something. */
function interpolateHeader(document: YamlNode, vars: Vars, schema: JsonSchema, problems: Problems): YamlNode {
  if (document.kind !== 'map') return document;
  const before = problems.count;
  const rounds = document.entries.get('rounds');
  const header: YamlNode = {
    ...document,
    entries: new Map([...document.entries].filter(([key]) => key !== 'vars' && key !== 'stages')),
  };
  // `until` is an expression over metrics, which are not known yet.
  const until = child(rounds?.node, 'until');
  const result = interpolate(until === undefined ? header : withoutUntil(header), vars, problems);
  if (result !== header && problems.count === before) {
    validate(
      schema,
      { ...(valueOf(result) as object), stages: { placeholder: {} } },
      { node: result, at: result.span, name: 'the pipeline' },
      problems,
    );
  }
  return result;
}

function withoutUntil(header: YamlNode): YamlNode {
  if (header.kind !== 'map') return header;
  const rounds = header.entries.get('rounds');
  if (rounds?.node.kind !== 'map') return header;
  const kept = new Map([...rounds.node.entries].filter(([key]) => key !== 'until'));
  return {
    ...header,
    entries: new Map([...header.entries, ['rounds', { key: rounds.key, node: { ...rounds.node, entries: kept } }]]),
  };
}

function unroll(
  document: YamlNode,
  rounds: Rounds | undefined,
  vars: Vars,
  schema: JsonSchema,
  problems: Problems,
): ReadonlyMap<string, readonly Instance[]> {
  const byName = new Map<string, readonly Instance[]>();
  const ofStages = stageSchema(schema);
  const stages = [...entriesOf(child(document, 'stages'))].sort(([a], [b]) => (a < b ? -1 : 1));
  for (const [name, { key, node }] of stages) {
    if (node.kind !== 'map') {
      byName.set(name, []);
      continue;
    }
    const uses = node.entries.get('uses');
    const run = node.entries.get('run');
    if (uses === undefined && run === undefined)
      problems.add(
        'missing-property',
        `\`${name}\` says neither \`uses\` nor \`run\``,
        key,
        '`uses: <stage type>` or `run: <script>`',
        name,
      );
    if (uses !== undefined && run !== undefined)
      problems.add('uses-and-run', `\`${name}\` says both \`uses\` and \`run\``, run.key, 'keep one of them', name);
    for (const only of uses === undefined ? ['with'] : run === undefined ? ['env', 'outputs'] : []) {
      const entry = node.entries.get(only);
      if (entry !== undefined)
        problems.add(
          'unknown-property',
          `\`${only}\` belongs to stages with \`${only === 'with' ? 'uses' : 'run'}\``,
          entry.key,
          only !== 'with' ? 'the stage type declares its outputs' : 'put values into the script with `${{ }}`',
          name,
        );
    }
    const instances = instancesOf(
      name,
      node,
      key,
      rounds?.names.has(name) === true ? rounds.max : undefined,
      vars,
      problems,
    );
    for (const instance of instances) {
      if (instance.sound) validateInterpolated(instance, node, ofStages, problems);
    }
    byName.set(name, instances);
  }
  return byName;
}

/** What a pipeline's schema says of each stage. */
export function stageSchema(pipeline: JsonSchema): JsonSchema {
  return { ...(pipeline.definitions as Record<string, JsonSchema>).stage, definitions: pipeline.definitions };
}

/** A stage was validated as written, `${{ }}` excepted; judge it again where expressions have given values. */
function validateInterpolated(instance: Instance, written: YamlNode, schema: JsonSchema, problems: Problems): void {
  if (instance.node.kind !== 'map' || written.kind !== 'map') return;
  const changed = new Map(
    [...instance.node.entries].filter(([key, entry]) => key !== 'with' && written.entries.get(key) !== entry),
  );
  if (changed.size === 0) return;
  const node: YamlNode = { ...instance.node, entries: changed };
  validate(
    schema,
    valueOf(node),
    { node, at: instance.at, name: `\`${instance.name}\``, stage: instance.name },
    problems,
  );
}

/** Look up each stage's type: once per name, however many instances there are. */
async function withTypes(
  instances: ReadonlyMap<string, readonly Instance[]>,
  catalogue: Catalogue,
  contracts: Contracts,
  problems: Problems,
): Promise<Producers['byName']> {
  const known = new Map<string, StageDescription | undefined>();
  const describe = async (instance: Instance): Promise<StageDescription | undefined> => {
    const uses = child(instance.node, 'uses');
    if (child(instance.node, 'run') !== undefined)
      return uses === undefined ? describeShell(instance, contracts, problems) : undefined;
    const name = stringOf(uses);
    if (uses === undefined || name === undefined || name.includes('${{')) return undefined;
    const directory = uses.span.source.directory;
    const isPath = /^\.{0,2}\//.test(name);
    const key = isPath ? `${directory}\0${name}` : name;
    if (!known.has(key)) {
      known.set(key, undefined);
      if (!isPath && !catalogue.types().includes(name)) {
        problems.add(
          'unknown-stage-type',
          `there is no stage type \`${name}\``,
          uses.span,
          suggest(name, catalogue.types(), 'stage types') ?? '`uses: ./my-stage.ts` takes your own',
          instance.name,
        );
      } else {
        const described = await catalogue.describe(name, directory);
        if (described.ok) known.set(key, described.value);
        else
          problems.addDiagnostic({
            ...described.error,
            location: described.error.location ?? locationOf(uses.span),
            stage: instance.name,
          });
      }
    } else if (known.get(key) === undefined && !isPath && !catalogue.types().includes(name)) {
      problems.add(
        'unknown-stage-type',
        `there is no stage type \`${name}\``,
        uses.span,
        suggest(name, catalogue.types(), 'stage types'),
        instance.name,
      );
    }
    return known.get(key);
  };
  const byName = new Map<string, (Instance & { type: StageDescription | undefined })[]>();
  for (const [name, all] of instances) {
    const typed = [];
    for (const instance of all) typed.push({ ...instance, type: await describe(instance) });
    byName.set(name, typed);
  }
  return byName;
}

function connect(
  producers: Producers,
  rounds: Rounds | undefined,
  draft: (stage: Typed, inputs: StageNode['inputs']) => Draft,
  problems: Problems,
): readonly Draft[] {
  const drafts: Draft[] = [];
  const types = new Map([...producers.byName.values()].flat().map(({ id, type }) => [id, type]));
  for (const all of producers.byName.values()) {
    for (const each of all) {
      if (!each.on || each.type === undefined) continue;
      const stage: Typed = { ...each, type: each.type };
      const inputs = {
        ...resolveInputs(stage, producers, problems),
        ...carryInputs(stage, rounds, producers, problems),
      };
      drafts.push(draft(isShell(stage) ? { ...stage, type: withContracts(stage.type, inputs, types) } : stage, inputs));
    }
  }
  return drafts;
}

const isShell = (stage: Instance): boolean => child(stage.node, 'run') !== undefined;

/** A stage with its config resolved. */
function draftOf(
  stage: Typed,
  inputs: StageNode['inputs'],
  header: YamlNode,
  inherits: Inherited,
  problems: Problems,
): Draft {
  const { resources, ...settings } = settingsOf(stage.node, child(header, 'defaults'));
  const { config, sources, backend, sound }: ResolvedConfig = stage.sound
    ? resolveConfig(stage, inherits, resources.gpus, problems)
    : { config: {}, sources: {}, sound: false };
  return {
    stage,
    sound,
    node: {
      id: stage.id,
      name: stage.name,
      type: stage.type,
      ...(isShell(stage) ? { shell: { script: scriptOf(stage), env: envOf(stage) } } : {}),
      config,
      inputs,
      sources,
      ...settings,
      resources: withDefaults(resources, backend),
      ...(backend === undefined ? {} : { backend }),
      ...(stage.round === undefined ? {} : { round: stage.round }),
      location: locationOf(stage.at),
    },
  };
}

/**
 * A stage that computes on a GPU gets one; one that a native library computes for on the CPU gets every core there is.
 */
function withDefaults({ memory, cpus, gpus }: Settings['resources'], backend: BackendChoice | undefined): Resources {
  const onCpu = backend?.native !== undefined && backend.device === 'cpu';
  return { memory, cpus: cpus ?? (onCpu ? Infinity : 1), gpus: gpus ?? (backend?.device === 'cuda' ? 1 : 0) };
}

/** A shell step's inputs have the contracts of what feeds them. */
function withContracts(
  type: StageDescription,
  inputs: StageNode['inputs'],
  types: ReadonlyMap<string, StageDescription | undefined>,
): StageDescription {
  const contractOf = (port: string): string | undefined => {
    const reference = inputs[port]?.[0];
    if (reference === undefined) return undefined;
    const id = reference.kind === 'stage' ? reference.stage : (reference.rounds[0] ?? '');
    return types.get(id)?.outputs[reference.port]?.contract;
  };
  return {
    ...type,
    inputs: Object.fromEntries(
      Object.entries(type.inputs).map(([name, port]) => [name, { ...port, contract: contractOf(name) ?? anyContract }]),
    ),
  };
}

function inherited(header: YamlNode, options: LoadOptions): Inherited {
  const seed = child(header, 'seed');
  const backend = child(header, 'backend');
  return {
    seed: seed?.kind === 'scalar' && typeof seed.value === 'number' ? seed.value : 42,
    backend: stringOf(backend) ?? 'auto',
    ...(backend === undefined ? {} : { backendAt: backend.span }),
    resolveBackend: options.resolveBackend,
  };
}

function reportCycles(cycles: readonly (readonly string[])[], drafts: readonly Draft[], problems: Problems): void {
  const said = new Set<string>();
  for (const cycle of cycles) {
    const names = cycle.map((id) => id.replace(/@\d+$/, ''));
    const path =
      names.length > 12 ? [...names.slice(0, 6), `… ${names.length - 11} more …`, ...names.slice(-5)] : names;
    const shown = path.join(' -> ');
    if (said.has(shown)) continue;
    said.add(shown);
    const first = drafts.find((draft) => draft.node.id === cycle[0]);
    problems.add(
      'cycle',
      `stages feed each other in a circle: ${shown}`,
      first?.stage.at,
      'remove one of these inputs, or repeat the stages with `rounds`',
    );
  }
}
