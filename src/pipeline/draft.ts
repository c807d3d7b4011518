import type { StageNode } from '../core/pipeline.ts';
import type { Typed } from './producers.ts';

/** A stage whose inputs and config are resolved, before composite ones are opened and cycles are looked for. */
export interface Draft {
  readonly node: StageNode;
  readonly stage: Typed;
  /** Nothing is wrong with its config. */
  readonly sound: boolean;
}
