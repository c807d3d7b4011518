import type { StageNode } from '../core/pipeline.ts';
import type { Typed } from './producers.ts';

/** A stage with resolved inputs and config, before composite ones are opened and cycles are searched for. */
export interface Draft {
  readonly node: StageNode;
  readonly stage: Typed;
  /** Its config is valid. */
  readonly sound: boolean;
}
