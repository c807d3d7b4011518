import type { BackendChoice } from '../core/backend.ts';
import type { Resources, StageDescription, StageNode } from '../core/pipeline.ts';
import {
  envOf,
  resolveConfig,
  scriptOf,
  settingsOf,
  type Inherited,
  type ResolvedConfig,
  type Settings,
} from './config.ts';
import type { Contracts } from './contracts.ts';
import type { Draft } from './draft.ts';
import type { Instance } from './instances.ts';
import { child, locationOf, type YamlNode } from './node.ts';
import type { Importers } from './importers.ts';
import { modelFolders } from './model-folders.ts';
import { orderStages } from './order.ts';
import type { Problems } from './problems.ts';
import type { Producers, Typed } from './producers.ts';
import { anyContract, resolveInputs } from './references.ts';
import { carryInputs, type Rounds } from './rounds.ts';
import type { StageTypes } from './stage-types.ts';

/** What connecting stages depends on, in the pipeline and inside its composite stages. */
export interface LoadContext {
  readonly contracts: Contracts;
  readonly importers: Importers;
  readonly types: StageTypes;
  /** The pipeline's default settings for its stages. */
  readonly defaults: YamlNode | undefined;
  readonly inherited: Inherited;
  readonly problems: Problems;
  /** The stage type of every stage so far, by id. */
  readonly typeOf: Map<string, StageDescription>;
}

/** Where stages are connected: a pipeline, or the inside of a composite stage. */
export interface Surroundings {
  readonly directory: string;
  readonly rounds?: Rounds | undefined;
  readonly composite?: Draft;
}

/** Connected stages, before composite ones are opened. */
export interface Connected {
  readonly drafts: readonly Draft[];
  readonly producers: Producers;
  /** Whether they can be ordered; if not, that has been reported. */
  readonly isOrdered: boolean;
}

/** Look up the types of stages, resolve their inputs and configs, and check that they do not form a cycle. */
export async function connect(
  instances: ReadonlyMap<string, readonly Instance[]>,
  surroundings: Surroundings,
  context: LoadContext,
): Promise<Connected> {
  const { directory, rounds, composite } = surroundings;
  const { contracts, importers, problems } = context;
  const written = await withTypes(instances, composite, context);
  const folders = [...modelFolders(written, directory, importers)].map(
    ([name, all]) => [name, composite === undefined ? all : all.map((each) => stepOf(composite, each))] as const,
  );
  const producers: Producers = {
    byName: new Map([...written, ...(await withTypes(new Map(folders), composite, context))]),
    directory,
    contracts,
    importers,
    carried: new Set(rounds?.carry.map((carry) => `${carry.stage}.${carry.port}`)),
    ...(composite === undefined ? {} : { outer: { stage: composite.stage, inputs: composite.node.inputs } }),
  };
  const typed = [...producers.byName.values()]
    .flat()
    .flatMap((each): Typed[] => (each.on && each.type !== undefined ? [{ ...each, type: each.type }] : []));
  for (const { id, type } of typed) context.typeOf.set(id, type);
  const drafts = typed.map((stage) => {
    const inputs = {
      ...resolveInputs(stage, producers, problems),
      ...carryInputs(stage, rounds, producers, problems),
    };
    return draftOf(
      isShell(stage) ? { ...stage, type: withContracts(stage.type, inputs, context) } : stage,
      inputs,
      composite,
      context,
    );
  });
  const { cycles } = orderStages(drafts.map(({ node }) => node));
  reportCycles(cycles, drafts, problems);
  return { drafts, producers, isOrdered: cycles.length === 0 };
}

/** An instance as a step of a composite stage: `documents@2` has the step `documents/signatures@2`. */
export function stepOf({ stage }: Draft, step: Instance): Instance {
  const round = stage.round === undefined ? '' : `@${stage.round}`;
  return {
    ...step,
    id: `${stage.id.slice(0, stage.id.length - round.length)}/${step.id}${round}`,
    name: `${stage.name}/${step.name}`,
    ...(stage.round === undefined ? {} : { round: stage.round }),
  };
}

async function withTypes(
  instances: ReadonlyMap<string, readonly Instance[]>,
  composite: Draft | undefined,
  { types }: LoadContext,
): Promise<Producers['byName']> {
  const mayUseSteps = composite?.stage.recipe?.isBuiltIn === true;
  const byName = new Map<string, (Instance & { type: StageDescription | undefined })[]>();
  for (const [name, all] of instances) {
    const typed = [];
    for (const instance of all)
      typed.push({ ...instance, type: undefined, ...(await types.of(instance, mayUseSteps)) });
    byName.set(name, typed);
  }
  return byName;
}

const isShell = (stage: Instance): boolean => child(stage.node, 'run') !== undefined;

/** A stage with its config resolved. */
function draftOf(stage: Typed, inputs: StageNode['inputs'], composite: Draft | undefined, context: LoadContext): Draft {
  const { problems, defaults, inherited } = context;
  const { resources, ...settings } = settingsOf(stage.node, [...settingsAround(stage, composite), defaults]);
  const { config, sources, backend, sound }: ResolvedConfig = stage.sound
    ? resolveConfig(stage, inherited, resources.gpus, problems)
    : { config: {}, sources: {}, sound: false };
  return {
    stage,
    sound,
    node: {
      id: stage.id,
      name: composite?.node.name ?? stage.name,
      ...(composite === undefined ? {} : { partOf: composite.node.partOf ?? composite.node.id }),
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
 * How the composite stage wants its steps to run. The memory it requests is for a step that works on everything at
 * once; one that works shard by shard needs less, and several run at a time.
 */
function settingsAround({ type }: Typed, composite: Draft | undefined): YamlNode[] {
  const node = composite?.stage.node;
  if (node?.kind !== 'map') return [];
  const keys = type.map === undefined ? ['retries', 'timeout', 'resources'] : ['retries', 'timeout'];
  return [{ ...node, entries: new Map([...node.entries].filter(([key]) => keys.includes(key))) }];
}

/** A stage that computes on a GPU gets one; one that computes on the CPU with a native library gets every core. */
function withDefaults({ memory, cpus, gpus }: Settings['resources'], backend: BackendChoice | undefined): Resources {
  const onCpu = backend?.native !== undefined && backend.device === 'cpu';
  return { memory, cpus: cpus ?? (onCpu ? Infinity : 1), gpus: gpus ?? (backend?.device === 'cuda' ? 1 : 0) };
}

/** A shell step's inputs have the contracts of the outputs connected to them. */
function withContracts(type: StageDescription, inputs: StageNode['inputs'], { typeOf }: LoadContext): StageDescription {
  const contractOf = (port: string): string | undefined => {
    const reference = inputs[port]?.[0];
    const output = reference?.kind === 'last-round' ? reference.rounds[0] : reference;
    return output === undefined ? undefined : typeOf.get(output.stage)?.outputs[output.port]?.contract;
  };
  const ports = Object.entries(type.inputs).map(([name, port]) => [
    name,
    { ...port, contract: contractOf(name) ?? anyContract },
  ]);
  return { ...type, inputs: Object.fromEntries(ports) };
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
      `stages form a cycle: ${shown}`,
      first?.stage.at,
      'remove one of these inputs, or repeat the stages with `rounds`',
    );
  }
}
