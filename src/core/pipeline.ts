import type { BackendChoice } from './backend.ts';
import type { Diagnostic, SourceLocation } from './diagnostic.ts';
import type { ConfigProblem, Division, Port } from './stage.ts';
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
  readonly map?: Division;
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
  /** What a composite stage type is made of; it has no module. */
  readonly composition?: Composition;
}

/** The inside of a composite stage type: a small pipeline. */
export interface Composition {
  /** Its `stages:`, as written, except that `uses` of steps of the project are names in the catalogue. */
  readonly stages: Readonly<Record<string, unknown>>;
  /** By output: references to its stages or to `inputs.<port>`, of which the first that is there counts. */
  readonly from: Readonly<Record<string, readonly string[]>>;
}

/** An output of a stage. */
export interface StageOutput {
  readonly stage: string;
  readonly port: string;
}

/** Where an input comes from, after matrix and rounds are unrolled. */
export type Reference =
  | ({ readonly kind: 'stage' } & StageOutput)
  /** That of the last round that ran of a looped stage: decided while running, as soon as `until` holds. */
  | { readonly kind: 'last-round'; readonly rounds: readonly StageOutput[] };

/** A `run: |` step: a bash script run by zx, with its declared ports in `$IN_<PORT>` and `$OUT_<PORT>`. */
export interface ShellStep {
  readonly script: string;
  readonly env: readonly string[];
}

/** A stage of an expanded pipeline: config complete and valid, references resolved. */
export interface StageNode {
  /** Unique: `tokens`, `tokens[max_length=64]`, `pretrain@2`, `documents/signatures`. */
  readonly id: string;
  /** Name in the pipeline's YAML: that of the composite stage for its steps. */
  readonly name: string;
  /** Id of the composite stage that it is a step of. */
  readonly partOf?: string;
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

/** A stage of an expanded pipeline whose type is made of steps. The steps run; this is what users see around them. */
export interface CompositeNode {
  readonly id: string;
  readonly name: string;
  readonly type: StageDescription;
  /** Ids of the steps, in the order in which they may run. */
  readonly steps: readonly string[];
  /** The steps' outputs, or other stages', that are its outputs; none for an output that its config leaves out. */
  readonly outputs: Readonly<Record<string, readonly Reference[]>>;
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
  /** All that runs, steps of composite stages among them; topologically sorted. */
  readonly stages: readonly StageNode[];
  /** Stages of the YAML whose types are made of steps. */
  readonly composites: readonly CompositeNode[];
  readonly loop?: Loop;
}

/** Where stage types come from: the project's own by name, a user's by `./file.ts`. */
export interface Catalogue {
  /** The project's stage types, without steps of composite ones. */
  list(): readonly StageDescription[];
  /** What is known of `uses`, a type name or a path relative to `fromDirectory`. */
  describe(uses: string, fromDirectory: string): Promise<Result<StageDescription, Diagnostic>>;
  /** Call the stage type's own `check` on a resolved config; no problems where it has none. */
  check(description: StageDescription, config: Readonly<Record<string, unknown>>): Promise<readonly ConfigProblem[]>;
}
