import type { BackendChoice } from './backend.ts';
import type { Dataset, DatasetWriter, OutputFolder, Folder } from './data.ts';

/** A named input or output of a stage type. */
export interface Port {
  /** Name of a contract in `schemas/contracts/`. */
  readonly contract: string;
  readonly description: string;
  /** Inputs only: takes a list of artifacts, in the order in which the pipeline names them. */
  readonly many?: boolean;
  /**
   * An optional input may be omitted. An optional output may be empty, and is never the main output if there is
   * another.
   */
  readonly optional?: boolean;
  /**
   * Outputs only: an expression over the config, such as `config.held_out > 0`. The output is produced only if it
   * holds; otherwise nothing may depend on the output.
   */
  readonly when?: string;
}

/**
 * How the work of a stage is divided into actions, each cached and resumed separately. Every port in `ports` is cut
 * into parts, and an action gets the parts with the same key: the same position, one shard each; or, given `by`, the
 * same value of that field in the shards' meta, with any number of shards each.
 */
export interface Division {
  readonly ports: readonly string[];
  readonly by?: string;
}

/**
 * A {@link Division} as stage authors write it: `map: 'documents'` runs once per shard; `map: ['documents',
 * 'duplicates']` once per shard of `documents`, with the shard of `duplicates` at the same position; `map: { port:
 * 'signatures', by: 'partition' }` once per value of the meta field `partition`.
 */
export type MapOf = string | readonly string[] | { readonly port: string | readonly string[]; readonly by: string };

export function divisionOf(map: MapOf): Division {
  if (typeof map === 'string') return { ports: [map] };
  return 'by' in map ? { ports: [map.port].flat(), by: map.by } : { ports: map };
}

/** The output that a stage's bare name means: the only one, or the only one that is not optional. */
export function mainOutput(outputs: Readonly<Record<string, Port>>): string | undefined {
  const names = Object.keys(outputs);
  const required = names.filter((name) => outputs[name]?.optional !== true);
  return names.length === 1 ? names[0] : required.length === 1 ? required[0] : undefined;
}

/** An external input of a stage: a local file, already digested, or a URL. */
export interface Source {
  /** Absolute path or http(s) URL. */
  readonly uri: string;
  /** File name, for messages and ids. */
  readonly name: string;
}

/** What a stage's `run` receives. Sources and inputs are read-only; all results must go through `outputs`. */
export interface StageContext<Config = Record<string, unknown>> {
  readonly stage: string;
  readonly config: Config;
  /** Dataset inputs by port; for a `map` port, a dataset of the one shard this action works on. */
  dataset(port: string): Dataset;
  datasets(port: string): readonly Dataset[];
  /** The folder of a folder input, or `undefined` when an optional port is not connected. */
  folder(port: string): Folder | undefined;
  /** Whether an optional input is connected. */
  has(port: string): boolean;
  /** Files behind a config property that its schema marks `x-source`; globs are expanded, in sorted order. */
  sources(property: string): readonly Source[];
  /** The writer of a dataset output. */
  writer(port: string): DatasetWriter;
  /** The folder of a folder output, to write files into. */
  outputFolder(port: string): OutputFolder;
  /**
   * Report progress in the stage's own unit (`documents`, `bytes`, `tokens`, `steps`). Call it often; it is throttled.
   */
  progress(done: number, total: number | undefined, unit: string, note?: string): void;
  /** Add to a counter: counters of a `map` stage's actions are summed. */
  count(name: string, by?: number): void;
  /**
   * Count what the stage drops, under the metric `dropped.<reason>`. If an output ends up empty, the failure lists
   * these first. Calling it with 0 makes the reason appear even if nothing is dropped for it.
   */
  drop(reason: string, by?: number): void;
  /**
   * Set a metric, such as `perplexity`; the runner records it and `until` reads it. A `map` stage reports the mean of
   * the values that its actions set.
   */
  metric(name: string, value: number): void;
  log(message: string): void;
  readonly signal: AbortSignal;
  /**
   * A directory that survives attempts of the same action, for checkpoints of a long stage. It is removed on success.
   */
  readonly checkpoint: string;
  /** Downloads of this store, shared by actions and runs: `openStageSource` reads URLs through it. */
  readonly downloads: string;
  /** Scratch space, removed after the attempt. */
  readonly scratch: string;
  readonly cpus: number;
  /** The tensor backend of a stage whose config has a `backend`; pass it to `openBackend`. */
  readonly backend: BackendChoice;
}

/** A problem that a stage type finds in a config that its schema allows; the property is a dotted path. */
export interface ConfigProblem {
  readonly property: string;
  readonly message: string;
}

/** A stage type: what a pipeline names with `uses:`. */
export interface StageType<Config = Record<string, unknown>> {
  readonly description: string;
  readonly inputs: Readonly<Record<string, Port>>;
  readonly outputs: Readonly<Record<string, Port>>;
  /**
   * Run once per part of an input, or once per file of an `x-source` config property, which is named like a port. Each
   * run is an action, cached and resumed separately.
   */
  readonly map?: MapOf;
  /**
   * JSON Schema of `with:`. Omitted by the project's own stage types: theirs is `schemas/stages/<type>.schema.json`.
   */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What can be checked in the resolved config before anything runs. */
  check?(config: Config): readonly ConfigProblem[];
  run(context: StageContext<Config>): Promise<void>;
}

/** What the planner must know about a stage type before any of its code runs. */
export interface StagePromises extends Pick<StageType, 'description' | 'inputs' | 'outputs'> {
  readonly map?: Division;
}

export function promisesOf({ description, inputs, outputs, map }: Omit<StageType, 'run'>): StagePromises {
  return { description, inputs, outputs, ...(map === undefined ? {} : { map: divisionOf(map) }) };
}

/**
 * Declare a stage type; a stage module exports it as its default.
 * @example
 * export default defineStage<{ characters: number }>({
 *   description: 'Keep documents longer than a number of characters.',
 *   inputs: { documents: { contract: 'documents', description: 'the documents to filter' } },
 *   outputs: { documents: { contract: 'documents', description: 'the documents kept' } },
 *   map: 'documents',
 * config: { type: 'object', additionalProperties: false, properties: { characters: { type: 'integer', default: 100 } }
 * },
 *   async run(context) {
 *     const out = context.writer('documents');
 *     for await (const row of context.dataset('documents').rows())
 *       if (String(row.text).length > context.config.characters) await out.add(row);
 *   },
 * });
 */
export function defineStage<Config = Record<string, unknown>>(stage: StageType<Config>): StageType<Config> {
  return stage;
}
