import type { BackendChoice } from './backend.ts';
import type { Diagnostic, SourceLocation } from './diagnostic.ts';
import type { ConfigProblem, Port } from './stage.ts';
import type { Result } from './result.ts';

/** CPU cores, bytes of memory and GPUs that an action occupies while it runs. */
export interface Resources {
  readonly cpus: number;
  readonly memory: number;
  readonly gpus: number;
}

/** What the planner knows of a stage type without loading its code. */
export interface StageDescription {
  readonly type: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, Port>>;
  readonly outputs: Readonly<Record<string, Port>>;
  readonly map?: string;
  readonly tellsRepeatsApart?: boolean;
  /** JSON Schema of its config, with defaults. */
  readonly config: Readonly<Record<string, unknown>>;
  /**
   * What its results depend on besides inputs and config: `version 3` of a stage type of the project, else the SHA-256
   * of its compiled module and all that it reaches. See `stages/versions.json`.
   */
  readonly implementation: string;
  /** Absolute path of the module to import, or of nothing for a shell step. */
  readonly module: string;
  /** Absolute path of the module with its `check` of a resolved config; absent when it has none. */
  readonly checkModule?: string;
}

/** Where an input comes from, after matrix and rounds are unrolled. */
export type Reference =
  | { readonly kind: 'stage'; readonly stage: string; readonly port: string }
  /** The last round that ran of a looped stage: decided while running, as soon as `until` holds. */
  | { readonly kind: 'last-round'; readonly rounds: readonly string[]; readonly port: string };

/** A `run: |` step: a bash script run by zx, with its declared ports in `$IN_<PORT>` and `$OUT_<PORT>`. */
export interface ShellStep {
  readonly script: string;
  readonly env: readonly string[];
}

/** A stage of an expanded pipeline: config complete and valid, references resolved. */
export interface StageNode {
  /** Unique: `mask`, `mask[rate=0.3]`, `pretrain@2`. */
  readonly id: string;
  /** Name in the YAML. */
  readonly name: string;
  readonly type: StageDescription;
  readonly shell?: ShellStep;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, readonly Reference[]>>;
  /** Config properties marked `x-source`: absolute paths, globs or URLs, as the pipeline wrote them resolved. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
  readonly retries: number;
  readonly timeoutMs?: number;
  readonly resources: Resources;
  /** Of a stage whose config has a `backend`. */
  readonly backend?: BackendChoice;
  /** Round number, from 1, of a looped stage. */
  readonly round?: number;
  readonly location: SourceLocation;
}

/** A looped part of a pipeline after unrolling. */
export interface Loop {
  readonly max: number;
  /** Expression over `<stage>.<metric>` of a round; the loop ends when it holds. */
  readonly until?: string;
  /** Stage ids of each round, in order. */
  readonly rounds: readonly (readonly string[])[];
  readonly location: SourceLocation;
}

/** A pipeline file after load, interpolation, validation and expansion; nothing in it depends on the file's layout. */
export interface Pipeline {
  readonly name: string;
  readonly file: string;
  /** Topologically sorted. */
  readonly stages: readonly StageNode[];
  readonly loop?: Loop;
  readonly warnings: readonly Diagnostic[];
}

/** Where stage types come from: the project's own by name, a user's by `./file.ts`. */
export interface Catalogue {
  /** Names of the project's stage types. */
  types(): readonly string[];
  /** What is known of `uses`, a type name or a path relative to `fromDirectory`. */
  describe(uses: string, fromDirectory: string): Promise<Result<StageDescription, Diagnostic>>;
  /** Call the stage type's own `check` on a resolved config; no problems where it has none. */
  check(description: StageDescription, config: Readonly<Record<string, unknown>>): Promise<readonly ConfigProblem[]>;
}
