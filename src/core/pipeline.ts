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
   * What its results depend on in addition to inputs and config: `version 3` for a stage type of the project, otherwise
   * the SHA-256 of its compiled module and everything it reaches. See `stages/versions.json`.
   */
  readonly implementation: string;
  /** Absolute path of the module to import; empty for a shell step. */
  readonly module: string;
  /** Absolute path of the module with its `check` of a resolved config; absent if it has none. */
  readonly checkModule?: string;
  /** The inside of a composite stage type, which does not have a module. */
  readonly composition?: Composition;
}

/** The inside of a composite stage type: a small pipeline. */
export interface Composition {
  /** Its `stages:`, as written, except that `uses` of steps of the project are names in the catalogue. */
  readonly stages: Readonly<Record<string, unknown>>;
  /** By output: references to its stages or to `inputs.<port>`; the first that exists is used. */
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
  /** The output of a looped stage in the last round that ran; decided during the run, as soon as `until` holds. */
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
  /** Name in the pipeline's YAML; for a step, that of its composite stage. */
  readonly name: string;
  /** For a step, the id of its composite stage. */
  readonly partOf?: string;
  readonly type: StageDescription;
  readonly shell?: ShellStep;
  readonly config: Readonly<Record<string, unknown>>;
  readonly inputs: Readonly<Record<string, readonly Reference[]>>;
  /** Config properties marked `x-source`: absolute paths, globs or URLs. */
  readonly sources: Readonly<Record<string, readonly string[]>>;
  readonly retries: number;
  readonly timeoutMs?: number;
  readonly resources: Resources;
  /** Set for a stage whose config has a `backend`. */
  readonly backend?: BackendChoice;
  /** Round number, from 1, of a looped stage. */
  readonly round?: number;
  readonly location: SourceLocation;
}

/** A composite stage of an expanded pipeline. Its steps run; this is what users see around them. */
export interface CompositeNode {
  readonly id: string;
  readonly name: string;
  readonly type: StageDescription;
  /** Ids of the steps, in an order in which they can run. */
  readonly steps: readonly string[];
  /**
   * The outputs of its steps, or of other stages, that are its outputs; none for an output that its config disables.
   */
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
  /** Everything that runs, including the steps of composite stages; topologically sorted. */
  readonly stages: readonly StageNode[];
  /** Composite stages of the YAML. */
  readonly composites: readonly CompositeNode[];
  readonly loop?: Loop;
}

/** Where stage types come from: the project's own by name, a user's by `./file.ts`. */
export interface Catalogue {
  /** The project's stage types, without steps of composite ones. */
  list(): readonly StageDescription[];
  /** Describes `uses`, a type name or a path relative to `fromDirectory`. */
  describe(uses: string, fromDirectory: string): Promise<Result<StageDescription, Diagnostic>>;
  /** Call the stage type's own `check` on a resolved config; no problems if it has none. */
  check(description: StageDescription, config: Readonly<Record<string, unknown>>): Promise<readonly ConfigProblem[]>;
}
