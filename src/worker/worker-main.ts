/**
 * Entry point of a worker process. It runs the actions that its runner sends over the process channel, one at a time.
 * It never outlives the runner: a thread watches for the runner's end even while a stage blocks the main thread.
 */
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { ActionRequest, WorkerMessage } from '../core/worker.ts';

const watchEveryMs = 200;

// Otherwise OpenMP's threads spin while they wait, which made training 25 times slower on a busy machine. Read when
// libtorch loads.
process.env['OMP_WAIT_POLICY'] ??= 'PASSIVE';

if (isMainThread) await serve(Number(process.argv[2]));
else watch((workerData as { readonly runner: number }).runner);

/** Kill this process and everything it started; it leads its own process group. */
function endAll(): void {
  process.kill(-process.pid, 'SIGKILL');
}

function watch(runner: number): void {
  setInterval(() => {
    if (process.ppid !== runner) endAll();
  }, watchEveryMs);
}

async function serve(runner: number): Promise<void> {
  const watcher = new Worker(new URL(import.meta.url), { workerData: { runner } });
  const [{ performAction, diagnosticOf }] = await Promise.all([import('./perform-action.ts'), once(watcher, 'online')]);
  watcher.unref();
  const send = (message: WorkerMessage): void => void process.send?.(message);
  let current: { readonly stage: string; readonly controller: AbortController } | undefined;

  const run = async (request: ActionRequest): Promise<void> => {
    const controller = new AbortController();
    current = { stage: request.stage, controller };
    try {
      send({ type: 'done', outcome: await performAction(request, send, controller.signal, process.env) });
    } catch (error) {
      send({ type: 'failed', diagnostic: diagnosticOf(error, request.stage) });
    }
    current = undefined;
  };
  const crash = (error: unknown): void => {
    process.send?.(
      { type: 'failed', diagnostic: diagnosticOf(error, current?.stage ?? '') } satisfies WorkerMessage,
      () => process.exit(1),
    );
  };

  process.on('message', (request: ActionRequest) => void run(request));
  process.on('disconnect', endAll);
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  // The runner asks first, so that a stage can save a checkpoint, and kills the process soon after.
  process.on('SIGTERM', () => (current === undefined ? endAll() : current.controller.abort()));
  process.on('SIGINT', () => {});
  send({ type: 'ready' });
}
