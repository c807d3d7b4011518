import type { ActionKey, Digest, Manifest } from '../core/artifact.ts';

/** An output with the digest of its manifest. */
export interface Artifact {
  readonly digest: Digest;
  readonly manifest: Manifest;
}

/** Input artifacts of a stage by port. */
export type StageInputs = Readonly<Record<string, readonly Artifact[]>>;

/** What goes into an action key, by name; plain JSON. */
export type Ingredients = Readonly<Record<string, unknown>>;

/** The published result of an action. */
export interface ActionRecord {
  readonly v: 1;
  readonly key: ActionKey;
  /** The stage that first ran it; others with the same key share the result. */
  readonly stage: string;
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly gauges?: readonly string[];
  /** Metrics that count what it dropped. */
  readonly drops?: readonly string[];
  readonly durationMs: number;
  readonly ingredients: Ingredients;
}

/** The ingredients of a stage when it was last fresh, for `explain`. */
export interface LastStage {
  readonly ingredients: Ingredients;
  readonly actions: readonly ActionKey[];
  readonly outputs: Readonly<Record<string, Digest>>;
}

/** The part of a store that planning needs. */
export interface ActionCache {
  /** The record of an action if all of its objects are present. */
  lookup(key: ActionKey): ActionRecord | undefined;
  /** The digest of a file's bytes, memoised. Throws if the file cannot be read. */
  digestFile(path: string): Digest;
  last(pipeline: string, stage: string): LastStage | undefined;
}
