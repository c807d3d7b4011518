import type { BackendChoice } from './backend.ts';
import type { Dataset, DatasetWriter, OutputFolder, Folder } from './data.ts';

/** A named input or output of a stage type. */
export interface Port {
  /** Name of a contract in `schemas/contracts/`. */
  readonly contract: string;
  readonly description: string;
  /** Inputs only: takes a list of artifacts, in the order in which the pipeline names them. */
  readonly many?: boolean;
  /** An input that may be left out; an output that may be empty, and that is no stage's main output beside another. */
  readonly optional?: boolean;
  /**
   * Outputs only: an expression over the config, such as `config.held_out > 0`, that says whether the output is made.
   * Where it does not hold, nothing may depend on the output.
   */
  readonly when?: string;
}

/**
 * How the work of a stage is divided among actions, each cached and resumed by itself. Every one of `ports` is cut into
 * parts, and an action gets the parts with the same key: with the same position, one shard each; or, given `by`, with
 * the same value of that field in the shards' meta, any number of shards each.
 */
export interface Division {
  readonly ports: readonly string[];
  readonly by?: string;
}

/**
 * A {@link Division} as stage authors write it: `map: 'documents'` runs once per shard; `map: ['documents',
 * 'duplicates']` once per shard of `documents`, with the shard of `duplicates` at the same position; `map: { port:
 * 'signatures', by: 'partition' }` once for each value of the meta field `partition`.
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

/** What a stage's `run` is given. Sources and inputs are read-only; everything it leaves must go through `outputs`. */
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
   * Say how far it got, in the stage's own unit (`documents`, `bytes`, `tokens`, `steps`). Call it often; it is
   * throttled.
   */
  progress(done: number, total: number | undefined, unit: string, note?: string): void;
  /** Add to a counter: counters of a `map` stage's actions are summed. */
  count(name: string, by?: number): void;
  /**
   * Count what the stage leaves out, under the metric `dropped.<reason>`. Where nothing is left of an output, the
   * failure lists these first. By 0, a reason shows even if nothing was left out for it.
   */
  drop(reason: string, by?: number): void;
  /**
   * Set a metric, such as `perplexity`; the runner records it and `until` reads it. Of those that a `map` stage's
   * actions set, the stage has the mean.
   */
  metric(name: string, value: number): void;
  log(message: string): void;
  readonly signal: AbortSignal;
  /** A directory that survives attempts of the same action, for checkpoints of a long stage; removed on success. */
  readonly checkpoint: string;
  /** Downloads of this store, kept for other actions and runs: `openStageSource` reads URLs through it. */
  readonly downloads: string;
  /** Scratch space, removed after the attempt. */
  readonly scratch: string;
  readonly cpus: number;
  /** What is to compute tensors, for a stage whose config has a `backend`; give it to `openBackend`. */
  readonly backend: BackendChoice;
}

/** What a stage type objects to in a config that its schema allows; the property as a dotted path. */
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
   * Run once per part of an input, or once per file of an `x-source` config property, which is named like a port; each
   * run is an action, cached and resumed by itself.
   */
  readonly map?: MapOf;
  /** JSON Schema of `with:`. Stage types of the project leave it out: theirs is `schemas/stages/<type>.schema.json`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** What can be told from the resolved config before anything runs. */
  check?(config: Config): readonly ConfigProblem[];
  run(context: StageContext<Config>): Promise<void>;
}

/** What the planner has to know about a stage type before any of its code runs. */
export interface StagePromises extends Pick<StageType, 'description' | 'inputs' | 'outputs'> {
  readonly map?: Division;
}

export function promisesOf({ description, inputs, outputs, map }: Omit<StageType, 'run'>): StagePromises {
  return { description, inputs, outputs, ...(map === undefined ? {} : { map: divisionOf(map) }) };
}

/**
 * Declare a stage type; a stage module has it as default export.
 * @example
 * export default defineStage<{ characters: number }>({
 *   description: 'Keep documents longer than a number of characters.',
 *   inputs: { documents: { contract: 'documents', description: 'what to filter' } },
 *   outputs: { documents: { contract: 'documents', description: 'what is left' } },
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
