import type { Reference, StageDescription } from '../core/pipeline.ts';
import type { Contracts } from './contracts.ts';
import type { Instance } from './instances.ts';
import type { Importers } from './importers.ts';
import type { Recipe } from './recipe.ts';

/** An instance whose stage type is known. */
export interface Typed extends Instance {
  readonly type: StageDescription;
  /** The inside of its type, if that is composite. */
  readonly recipe?: Recipe;
}

/** An instance whose stage type may be unknown because its `uses` is wrong. */
export type Named = Instance & { readonly type: StageDescription | undefined; readonly recipe?: Recipe };

/** What references can point to, in a pipeline or inside a composite stage. */
export interface Producers {
  /** Instances by the stage's name in the YAML, including disabled ones. */
  readonly byName: ReadonlyMap<string, readonly Named[]>;
  /** Inside a composite stage: the connections of its own inputs, for `inputs.<port>`. */
  readonly outer?: { readonly stage: Typed; readonly inputs: Readonly<Record<string, readonly Reference[]>> };
  /** Folder of the file. */
  readonly directory: string;
  readonly contracts: Contracts;
  readonly importers: Importers;
  /** Inputs, as `stage.port`, that `rounds.carry` fills after the first round. */
  readonly carried: ReadonlySet<string>;
}
