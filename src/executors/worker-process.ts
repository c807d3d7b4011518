import { fork, type ChildProcess } from 'node:child_process';
import type { Diagnostic } from '../core/diagnostic.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { ActionOutcome, ActionRequest, WorkerMessage } from '../core/worker.ts';
import { forwardLines } from '../worker/forward-lines.ts';

/** A worker process and the process group it leads. */
export interface WorkerProcess {
  readonly pid: number;
  readonly alive: boolean;
  /** Run one action; an error when it fails or the process ends first. */
  run(request: ActionRequest, onMessage: (message: WorkerMessage) => void): Promise<Result<ActionOutcome, Diagnostic>>;
  /** Ask the action to stop. */
  terminate(): void;
  /** Kill the process and everything it started; resolves when they are gone. */
  kill(): Promise<void>;
}

/** Start a worker with exactly this environment. */
export function startWorker(entry: string, env: Readonly<Record<string, string | undefined>>): WorkerProcess {
  const child = fork(entry, [String(process.pid)], {
    detached: true,
    execArgv: [],
    env: { ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  let finish: ((result: Result<ActionOutcome, Diagnostic>) => void) | undefined;
  let listen: (message: WorkerMessage) => void = () => {};
  let stage = '';
  let lastError = '';

  const gone = new Promise<void>((resolve) => {
    const end = (code: number | null, signal: NodeJS.Signals | null, problem?: Error): void => {
      killGroup(child, 'SIGKILL');
      finish?.(err(diedDiagnostic(stage, code, signal, lastError, problem)));
      finish = undefined;
      resolve();
    };
    child.once('exit', end);
    child.once('error', (problem) => end(null, null, problem));
  });
  child.on('message', (message: WorkerMessage) => {
    if (message.type === 'done') finish?.(ok(message.outcome));
    else if (message.type === 'failed') finish?.(err(message.diagnostic));
    else if (message.type !== 'ready') listen(message);
    if (message.type === 'done' || message.type === 'failed') finish = undefined;
  });
  forwardLines(child.stdout, (text) => listen({ type: 'log', stream: 'stdout', text }));
  forwardLines(child.stderr, (text) => {
    lastError = text;
    listen({ type: 'log', stream: 'stderr', text });
  });

  return {
    pid: child.pid ?? -1,
    get alive() {
      return child.exitCode === null && child.signalCode === null && child.connected;
    },
    run(request, onMessage) {
      stage = request.stage;
      lastError = '';
      listen = onMessage;
      return new Promise((resolve) => {
        finish = resolve;
        // A process that has ended is reported through `exit`.
        child.send(request, () => {});
      });
    },
    terminate: () => killGroup(child, 'SIGTERM'),
    async kill() {
      killGroup(child, 'SIGKILL');
      await gone;
    },
  };
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // No process of the group remains.
  }
}

function diedDiagnostic(
  stage: string,
  code: number | null,
  signal: string | null,
  lastError: string,
  problem?: Error,
): Diagnostic {
  const how =
    problem !== undefined
      ? `could not start: ${problem.message}`
      : signal !== null
        ? `was killed by ${signal}`
        : `ended with exit code ${code}`;
  return {
    code: 'worker-died',
    stage,
    message: `Its worker process ${how}${lastError === '' ? '' : `; its last output: ${lastError.slice(0, 500)}`}`,
    help:
      signal === 'SIGKILL'
        ? 'The system may have run out of memory. Reduce what the stage needs or raise resources.memory, then run ' +
          'again; finished work is kept.'
        : 'Run again; finished work is kept.',
  };
}
