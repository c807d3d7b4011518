/**
 * Entry of a worker process. It runs actions that its runner sends over the process channel, one at a time, and never
 * outlives the runner: a thread watches for the runner's end even while a stage blocks the main one.
 */
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { ActionRequest, WorkerMessage } from '../core/worker.ts';

const watchEveryMs = 200;

// OpenMP's threads otherwise spin while they wait, which on a busy machine made training 25 times slower; read when
// libtorch loads.
process.env['OMP_WAIT_POLICY'] ??= 'PASSIVE';

if (isMainThread) await serve(Number(process.argv[2]));
else watch((workerData as { readonly runner: number }).runner);

/** End this process and all it started; it leads its own process group. */
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
  // The runner asks first, so that a stage can save a checkpoint, and kills soon after.
  process.on('SIGTERM', () => (current === undefined ? endAll() : current.controller.abort()));
  process.on('SIGINT', () => {});
  send({ type: 'ready' });
}
