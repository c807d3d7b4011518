import { resolve } from 'node:path';
import { canonicalJson } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';
import type { BackendChoice } from '../core/backend.ts';
import { Failure } from '../core/diagnostic.ts';
import type { Resources, StageDescription } from '../core/pipeline.ts';
import type { Port } from '../core/stage.ts';
import type { Contracts } from './contracts.ts';
import type { Instance } from './instances.ts';
import { child, entriesOf, entryOf, stringNodes, stringOf, valueOf, type Span, type YamlNode } from './node.ts';
import type { Problems } from './problems.ts';
import type { Typed } from './producers.ts';
import { anyContract } from './references.ts';
import { validate, type JsonSchema } from './schema.ts';
import { suggest } from './suggest.ts';
import { parseBytes, parseDurationMs } from './units.ts';

/** Values that stages inherit from the pipeline if their config does not set them. */
export interface Inherited {
  readonly seed: number;
  readonly backend: string;
  /** Where the pipeline names its backend, if anywhere. */
  readonly backendAt?: Span;
  readonly resolveBackend: ResolveBackend;
}

/**
 * Resolves `auto` to the backend for a stage that requests N GPUs (`undefined` if unspecified). Throws a Failure for a
 * backend that is not available.
 */
export type ResolveBackend = (name: string, gpus: number | undefined) => BackendChoice;

export interface ResolvedConfig {
  readonly config: Readonly<Record<string, unknown>>;
  readonly sources: Readonly<Record<string, readonly string[]>>;
  readonly backend?: BackendChoice;
  readonly sound: boolean;
}

/** Complete the config of a stage with what it inherits and its schema's defaults, and validate it. */
export function resolveConfig(
  stage: Typed,
  inherited: Inherited,
  gpus: number | undefined,
  problems: Problems,
): ResolvedConfig {
  const entry = entryOf(stage.node, 'with');
  const written = entry?.node.kind === 'map' ? entry.node : undefined;
  const config = (written === undefined ? {} : valueOf(written)) as Record<string, unknown>;
  const properties = (stage.type.config.properties ?? {}) as Readonly<Record<string, JsonSchema>>;
  const given: Readonly<Record<string, unknown>> = {
    seed: inherited.seed,
    backend: inherited.backend,
    round: stage.round,
  };
  for (const [name, { 'x-inherits': from }] of Object.entries(properties))
    if (typeof from === 'string' && given[from] !== undefined && !Object.hasOwn(config, name))
      config[name] = given[from];
  const node: YamlNode = written ?? { kind: 'map', span: stage.at, entries: new Map() };
  let sound = false;
  try {
    sound = validate(
      stage.type.config,
      config,
      { node, at: entry?.key ?? stage.at, name: `the config of \`${stage.name}\``, stage: stage.name },
      problems,
    );
  } catch (error) {
    problems.add(
      'bad-stage-schema',
      `the config schema of \`${stage.type.type}\` is not valid: ` +
        `${error instanceof Error ? error.message : String(error)}`,
      stage.at,
    );
  }
  const backend = sound ? backendOf(stage, config, written, gpus, inherited, problems) : undefined;
  return {
    config,
    sources: sourcesOf(properties, config, written),
    ...(backend === undefined ? {} : { backend }),
    sound,
  };
}

/** Properties marked `x-source`, as absolute paths, resolved from the folder of the file that contains them. */
function sourcesOf(
  properties: Readonly<Record<string, JsonSchema>>,
  config: Readonly<Record<string, unknown>>,
  written: YamlNode | undefined,
): Readonly<Record<string, readonly string[]>> {
  const sources: Record<string, readonly string[]> = {};
  for (const [name, property] of Object.entries(properties)) {
    if (property['x-source'] !== true) continue;
    const given = [config[name]].flat().filter((value) => typeof value === 'string');
    const directory = child(written, name)?.span.source.directory;
    if (given.length > 0)
      sources[name] = given.map((path) =>
        /^[a-z][a-z0-9+.-]*:\/\//i.test(path) || directory === undefined ? path : resolve(directory, path),
      );
  }
  return sources;
}

/** The property of a stage's config that names its backend. */
export function backendProperty(config: JsonSchema): string | undefined {
  const properties = Object.entries((config.properties ?? {}) as Readonly<Record<string, JsonSchema>>);
  return properties.find(([, schema]) => schema['x-inherits'] === 'backend')?.[0];
}

/** The backend of a stage with such a property, which is set to its name instead of `auto`. */
function backendOf(
  stage: Typed,
  config: Record<string, unknown>,
  written: YamlNode | undefined,
  gpus: number | undefined,
  inherited: Inherited,
  problems: Problems,
): BackendChoice | undefined {
  const property = backendProperty(stage.type.config);
  const name = property === undefined ? undefined : config[property];
  if (property === undefined || typeof name !== 'string') return undefined;
  const at = child(written, property)?.span ?? inherited.backendAt ?? stage.at;
  const backend = resolveBackend(name, gpus, at, inherited, problems);
  if (backend === undefined) return undefined;
  config[property] = backend.name;
  for (const [precision, schema] of Object.entries(stage.type.config.properties as Record<string, JsonSchema>)) {
    const value = config[precision];
    if (schema['x-precision'] !== true || typeof value !== 'string' || backend.precisions.includes(value)) continue;
    problems.add(
      'precision-unsupported',
      `\`${stage.name}\` computes on ${backend.name}, which does not have \`${precision}: ${value}\` (${backend.reason})`,
      child(written, precision)?.span ?? stage.at,
      `${backend.hint ?? 'choose another `backend`'}; or use \`${precision}: ${backend.precisions[0] ?? ''}\``,
      stage.name,
    );
  }
  return backend;
}

/** One problem where the backend is named, regardless of how many stages inherit it. */
function resolveBackend(
  name: string,
  gpus: number | undefined,
  at: Span,
  inherited: Inherited,
  problems: Problems,
): BackendChoice | undefined {
  try {
    return inherited.resolveBackend(name, gpus);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    problems.add(error.diagnostic.code, error.diagnostic.message, at, error.diagnostic.help);
    return undefined;
  }
}

/** Config schema of scripts; a single object, because a schema is compiled once per object. */
export const noConfig = { type: 'object', additionalProperties: false };

/** A stage type for a `run:` script, made from its ports in the YAML. */
export function describeShell(stage: Instance, contracts: Contracts, problems: Problems): StageDescription {
  const outputs: Record<string, Port> = {};
  for (const [name, { node }] of entriesOf(child(stage.node, 'outputs'))) {
    const contract = node.kind === 'scalar' ? node : child(node, 'contract');
    const contractName = stringOf(contract) ?? '';
    if (contract !== undefined && contractName !== '' && !contracts.names().includes(contractName)) {
      problems.add(
        'unknown-contract',
        `unknown contract \`${contractName}\``,
        contract.span,
        suggest(contractName, contracts.names(), 'contracts'),
        stage.name,
      );
    }
    const optional = child(node, 'optional');
    outputs[name] = {
      contract: contractName,
      description: stringOf(child(node, 'description')) ?? '',
      ...(optional?.kind === 'scalar' && optional.value === true ? { optional: true } : {}),
    };
  }
  const inputs: Record<string, Port> = {};
  const promises = Object.fromEntries(
    Object.entries(outputs).map(([name, { description: _, ...promise }]) => [name, promise]),
  );
  for (const name of entriesOf(child(stage.node, 'inputs')).keys())
    inputs[name] = { contract: anyContract, description: '', many: true };
  return {
    type: 'run',
    description: 'A shell script.',
    inputs,
    outputs,
    config: noConfig,
    // Includes its outputs: results of a script with fewer or other ports must not be reused.
    implementation: sha256(canonicalJson({ script: scriptOf(stage), env: envOf(stage), outputs: promises })),
    module: '',
  };
}

export function scriptOf(stage: Instance): string {
  return stringOf(child(stage.node, 'run')) ?? '';
}

export function envOf(stage: Instance): readonly string[] {
  return stringNodes(child(stage.node, 'env'))
    .map((node) => node.value)
    .sort();
}

export interface Settings {
  readonly retries: number;
  readonly timeoutMs?: number;
  /** `undefined` if nothing sets it: the number then depends on the backend. */
  readonly resources: Pick<Resources, 'memory'> & {
    readonly cpus: number | undefined;
    readonly gpus: number | undefined;
  };
}

/** Retries, time limit and resources: the stage's own, or those of the first of `others` that has them, or none. */
export function settingsOf(stage: YamlNode, others: readonly (YamlNode | undefined)[]): Settings {
  const scalar = (...path: readonly string[]) => {
    for (const from of [stage, ...others]) {
      let node: YamlNode | undefined = from;
      for (const key of path) node = child(node, key);
      if (node?.kind === 'scalar' && node.value !== null) return node.value;
    }
    return undefined;
  };
  const number = <T>(value: unknown, otherwise: T): number | T => (typeof value === 'number' ? value : otherwise);
  const timeoutMs = parseDurationMs(String(scalar('timeout') ?? ''));
  const memory = scalar('resources', 'memory');
  return {
    retries: number(scalar('retries'), 0),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
    resources: {
      cpus: number(scalar('resources', 'cpus'), undefined),
      memory: typeof memory === 'boolean' || memory === undefined ? 0 : (parseBytes(memory) ?? 0),
      gpus: number(scalar('resources', 'gpus'), undefined),
    },
  };
}
