import type { Diagnostic } from '../core/diagnostic.ts';
import type { Resources } from '../core/pipeline.ts';
import type { Result } from '../core/result.ts';
import type { ActionOutcome, ActionRequest, WorkerMessage } from '../core/worker.ts';

/** One attempt of an action, as passed by the runner. */
export interface Job<Kept> {
  /** Called when resources are free, just before the action starts; creates the attempt's directory. */
  readonly prepare: () => ActionRequest;
  readonly resources: Resources;
  readonly timeoutMs?: number;
  /** Stops the action, running or waiting. */
  readonly signal: AbortSignal;
  /** Stops the action only while it waits. */
  readonly admission: AbortSignal;
  readonly onStart: (worker: { readonly pid: number; readonly gpus: readonly string[] }) => void;
  readonly onMessage: (message: WorkerMessage) => void;
  /**
   * Whether it is a shard of its stage. Its resources are released only when its result is stored, so that a kill loses
   * at most one shard per worker.
   */
  readonly isShard: boolean;
  /** Move the action's results to the store. */
  readonly keep: (outcome: ActionOutcome) => Promise<Result<Kept, Diagnostic>>;
}

/** Diagnostic code of a job that was stopped by one of its signals. */
export const interrupted = 'interrupted';

/** Executes actions. */
export interface Executor {
  /** Everything that actions can use at once; one that requests more gets all of it. */
  readonly capacity: Resources;
  /**
   * Run a job when resources allow. Settles when none of its processes run, and rejects only if `prepare` or `keep`
   * throws.
   */
  run<Kept>(job: Job<Kept>): Promise<Result<Kept, Diagnostic>>;
  /** Stop every worker; resolves when they are gone. */
  close(): Promise<void>;
}
