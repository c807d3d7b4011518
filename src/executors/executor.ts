import type { Diagnostic } from '../core/diagnostic.ts';
import type { Resources } from '../core/pipeline.ts';
import type { Result } from '../core/result.ts';
import type { ActionOutcome, ActionRequest, WorkerMessage } from '../core/worker.ts';

/** One attempt of an action, as the runner hands it over. */
export interface Job<Kept> {
  /** Called when resources are free, just before the action starts; makes the attempt's directory. */
  readonly prepare: () => ActionRequest;
  readonly resources: Resources;
  readonly timeoutMs?: number;
  /** Ends the action, running or waiting. */
  readonly signal: AbortSignal;
  /** Ends the action only while it waits. */
  readonly admission: AbortSignal;
  readonly onStart: (worker: { readonly pid: number; readonly gpus: readonly string[] }) => void;
  readonly onMessage: (message: WorkerMessage) => void;
  /**
   * Whether it is a shard of its stage: its resources are free only when its result is kept, so that a kill costs a
   * shard per worker at most.
   */
  readonly isShard: boolean;
  /** Put what the action left where it stays. */
  readonly keep: (outcome: ActionOutcome) => Promise<Result<Kept, Diagnostic>>;
}

/** Code of the diagnostic of a job that was ended by one of its signals. */
export const interrupted = 'interrupted';

/** What executes actions. */
export interface Executor {
  /** All that actions can have at once; one that asks for more gets this. */
  readonly capacity: Resources;
  /**
   * Run a job when resources allow; settles when nothing of it runs any more, and rejects with what `prepare` or `keep`
   * throw only.
   */
  run<Kept>(job: Job<Kept>): Promise<Result<Kept, Diagnostic>>;
  /** End every worker; resolves when they are gone. */
  close(): Promise<void>;
}
