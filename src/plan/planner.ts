import { basename, join } from 'node:path';
import type { ActionKey, Digest } from '../core/artifact.ts';
import { Failure } from '../core/diagnostic.ts';
import type { Freshness } from '../core/event.ts';
import type { StageNode } from '../core/pipeline.ts';
import type { Source } from '../core/stage.ts';
import type { ActionCache, ActionRecord, Artifact, Ingredients, StageInputs } from './action-cache.ts';
import { contractDigest } from './contract-structure.ts';
import { changes } from './explain.ts';
import { divide, type Part } from './divide.ts';
import { actionKey, concatenate } from './fingerprint.ts';
import { backendProperty } from '../pipeline/config.ts';
import { isPath } from '../core/paths.ts';
import { isUrl } from '../core/url.ts';
import { expandSources } from './sources.ts';

/** What a plan depends on in addition to the pipeline. */
export interface PlanContext {
  readonly cache: ActionCache;
  readonly pipeline: string;
  /** Folder of the contracts' JSON files; absent in tests that do not use them. */
  readonly contracts: string;
  /** Environment from which shell steps take the variables they declare. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** One unit of execution with everything it reads. */
export interface PlannedAction {
  readonly id: string;
  readonly key: ActionKey;
  readonly ingredients: Ingredients;
  readonly inputs: StageInputs;
  readonly sources: Readonly<Record<string, readonly Source[]>>;
  readonly env: Readonly<Record<string, string>>;
  readonly hit?: ActionRecord;
}

export interface StagePlan {
  readonly node: StageNode;
  /** Ingredients of the whole stage; those of an action are narrowed to its shard or file. */
  readonly ingredients: Ingredients;
  readonly actions: readonly PlannedAction[];
  readonly freshness: Freshness;
}

/** Decide what part of a stage must run, given its input artifacts. Throws a Failure if a source cannot be read. */
export function planStage(node: StageNode, inputs: StageInputs, context: PlanContext): StagePlan {
  const sources: Record<string, readonly Source[]> = {};
  for (const [property, patterns] of Object.entries(node.sources))
    sources[property] = expandSources(node, property, patterns);
  const digests = digestSources(node, sources, context.cache);
  const env: Record<string, string> = {};
  for (const name of node.shell?.env ?? []) {
    const value = context.env[name];
    if (value !== undefined) env[name] = value;
  }

  const ofBackend = backendProperty(node.type.config);
  const config = Object.fromEntries(
    Object.entries(node.config).filter(
      ([property]) => !(property in node.sources) && !(property === ofBackend && node.backend !== undefined),
    ),
  );
  const base = {
    // A user's own stage is named by its path, which may be absolute; the digest of its code identifies it instead.
    type: isPath(node.type.type) ? basename(node.type.type) : node.type.type,
    implementation: node.type.implementation,
    config,
    contracts: contractDigests(node, context),
    ...(node.backend === undefined
      ? {}
      : { backend: `${node.backend.name} ${node.backend.version} on ${node.backend.device}` }),
    ...(node.backend?.native === undefined ? {} : { bridge: node.backend.native.sources }),
    ...(node.shell === undefined ? {} : { script: node.shell.script, env }),
  };
  const sourceIngredients = mapValues(sources, (list) =>
    list.map(({ uri, name }) => [name, digests.get(uri) ?? 'url']),
  );
  const inputIngredients = mapValues(inputs, (list) => list.map(({ digest }) => digest));
  const ingredients = { ...base, sources: sourceIngredients, inputs: inputIngredients };

  const parts = divide(node, inputs, sources);
  const actions = parts.map(({ id, inputs: own, sources: files }): PlannedAction => {
    const narrowed: Ingredients = {
      ...base,
      sources: mapValues(files, (list) => list.map(({ uri, name }) => [name, digests.get(uri) ?? 'url'])),
      inputs: mapValues(own, (list) => list.map(({ digest }) => digest)),
    };
    const key = actionKey(narrowed);
    const hit = context.cache.lookup(key);
    return { id, key, ingredients: narrowed, inputs: own, sources: files, env, ...(hit === undefined ? {} : { hit }) };
  });
  return { node, ingredients, actions, freshness: freshnessOf(node, ingredients, actions, context) };
}

/** The outputs of a stage whose actions are all done, in plan order. */
export function stageOutputs(node: StageNode, records: readonly ActionRecord[]): Record<string, Artifact> {
  const outputs: Record<string, Artifact> = {};
  for (const [port, { contract }] of Object.entries(node.type.outputs))
    outputs[port] = concatenate(
      records.flatMap((record) => record.outputs[port] ?? []),
      contract,
    );
  return outputs;
}

/** Metrics of a stage: the sum of what its actions counted and the mean of what they set. */
export function stageMetrics(records: readonly ActionRecord[]): Record<string, number> {
  const metrics: Record<string, number> = {},
    times: Record<string, number> = {};
  for (const record of records)
    for (const [name, value] of Object.entries(record.metrics)) {
      metrics[name] = (metrics[name] ?? 0) + value;
      if (record.gauges?.includes(name)) times[name] = (times[name] ?? 0) + 1;
    }
  for (const [name, count] of Object.entries(times)) metrics[name]! /= count;
  return metrics;
}

/** Names of the metrics that count what a stage dropped. */
export function stageDrops(records: readonly ActionRecord[]): ReadonlySet<string> {
  return new Set(records.flatMap(({ drops = [] }) => drops));
}

function freshnessOf(
  node: StageNode,
  ingredients: Ingredients,
  actions: readonly PlannedAction[],
  context: PlanContext,
): Freshness {
  let savedMs = 0;
  let missing = 0;
  for (const { hit } of actions) {
    if (hit === undefined) missing++;
    else savedMs += hit.durationMs;
  }
  if (missing === 0) return { kind: 'hit', savedMs };
  const changed = changes(context.cache.last(context.pipeline, node.id)?.ingredients, ingredients);
  if (changed.length > 0) return { kind: 'miss', changed };
  const what = actions.length === 1 ? 'not in the store' : `${missing} of ${actions.length} actions not in the store`;
  return { kind: 'miss', changed: [{ ingredient: 'result', after: what }] };
}

function digestSources(node: StageNode, sources: Part['sources'], cache: ActionCache): Map<string, Digest> {
  const digests = new Map<string, Digest>();
  for (const { uri } of Object.values(sources).flat()) {
    if (isUrl(uri)) continue;
    try {
      digests.set(uri, cache.digestFile(uri));
    } catch (cause) {
      throw new Failure(
        {
          code: 'source-unreadable',
          message: `${node.id}: cannot read ${uri}: ${(cause as Error).message}`,
          stage: node.id,
          location: node.location,
        },
        { cause },
      );
    }
  }
  return digests;
}

function contractDigests(node: StageNode, { contracts }: PlanContext): Record<string, string> {
  const names = new Set(
    [...Object.values(node.type.inputs), ...Object.values(node.type.outputs)].map(({ contract }) => contract),
  );
  const digests: Record<string, string> = {};
  for (const name of names) {
    try {
      digests[name] = contractDigest(join(contracts, `${name}.json`));
    } catch {
      digests[name] = 'unknown';
    }
  }
  return digests;
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, transform: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, transform(value)]));
}
