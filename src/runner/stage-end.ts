import type { Diagnostic } from '../core/diagnostic.ts';
import type { StageState } from '../core/event.ts';
import type { Artifact } from '../plan/action-cache.ts';

/** How a stage of a run ended. */
export interface StageEnd {
  readonly state: StageState;
  readonly outputs: Readonly<Record<string, Artifact>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly savedMs: number;
  readonly diagnostic?: Diagnostic;
}
