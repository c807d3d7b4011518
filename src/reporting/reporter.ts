import type { RunEvent } from '../core/event.ts';

/** A reader of the journal. `event` must not throw; `end` restores the terminal. */
export interface Reporter {
  event(event: RunEvent): void;
  end(): void;
}
