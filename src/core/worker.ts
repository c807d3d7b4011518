import type { Manifest } from './artifact.ts';
import type { Diagnostic } from './diagnostic.ts';
import type { BackendChoice } from './backend.ts';
import type { ShellStep } from './pipeline.ts';
import type { Port, Source } from './stage.ts';
import type { Shard } from './data.ts';

/** An input artifact as a worker sees it: its manifest and where each file is. */
export interface InputArtifact {
  readonly kind: 'dataset' | 'folder';
  readonly contract: string;
  /** Folder view, for model inputs and shell steps. */
  readonly folder: string;
  readonly shards: readonly Shard[];
}

/** Everything a worker needs to run one action; plain JSON, sent over the process channel. */
export interface ActionRequest {
  readonly stage: string;
  readonly module: string;
  readonly shell?: ShellStep;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, readonly InputArtifact[]>>;
  readonly outputs: Readonly<Record<string, Port>>;
  readonly sources: Readonly<Record<string, readonly Source[]>>;
  /** Private directory of this attempt; each output goes to `<attempt>/<port>/`. */
  readonly attempt: string;
  readonly checkpoint: string;
  /** Folder of the store's finished downloads. */
  readonly downloads: string;
  readonly contracts: string;
  readonly cpus: number;
  readonly backend?: BackendChoice;
  /** One of several actions of a `map` stage: its outputs may be empty. */
  readonly partial?: boolean;
  readonly env: Readonly<Record<string, string>>;
}

/**
 * What a successful action leaves. Files that a manifest names are in `<attempt>/<port>/<path>` or are linked inputs.
 */
export interface ActionOutcome {
  readonly outputs: Readonly<Record<string, Manifest>>;
  readonly metrics: Readonly<Record<string, number>>;
  /** Metrics that were set, not counted: those of a `map` stage's actions are averaged, not summed. */
  readonly gauges?: readonly string[];
  /** Metrics that count what the stage dropped. */
  readonly drops?: readonly string[];
}

export type WorkerMessage =
  | { readonly type: 'ready' }
  | {
      readonly type: 'progress';
      readonly done: number;
      readonly total?: number;
      readonly unit: string;
      readonly note?: string;
    }
  | { readonly type: 'metric'; readonly name: string; readonly value: number }
  | { readonly type: 'log'; readonly stream: 'stdout' | 'stderr' | 'log'; readonly text: string }
  | { readonly type: 'done'; readonly outcome: ActionOutcome }
  | { readonly type: 'failed'; readonly diagnostic: Diagnostic };
