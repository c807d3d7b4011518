import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { RunEvent } from '../core/event.ts';
import { createLocalExecutor } from '../executors/local.ts';
import { NdjsonReporter } from '../reporting/ndjson.ts';
import { PlainReporter } from '../reporting/plain.ts';
import type { Reporter } from '../reporting/reporter.ts';
import { runPipeline } from '../runner/run-pipeline.ts';
import { exitCodes, print, refuse, render } from './exit.ts';
import { contracts, distribution, openRunnable, type PipelineOptions } from './workspace.ts';

export interface RunOptions extends PipelineOptions {
  readonly jobs?: number;
  readonly keepGoing?: boolean;
  readonly verify?: boolean;
  readonly json?: boolean;
}

/** `run-pipeline run`: load, run stale stages, report. Ctrl-C stops cleanly; a second one stops at once. */
export async function runCommand(name: string | undefined, options: RunOptions): Promise<number> {
  const workspace = await openRunnable(name, options);
  if (!workspace.ok) return refuse(workspace.error, options.json);
  const { pipeline, store, outputs } = workspace.value;
  const jobs = options.jobs ?? availableParallelism();
  const reporter = await createReporter(options.json === true);

  const abort = new AbortController();
  let signalled: 'SIGINT' | 'SIGTERM' | undefined;
  const onSignal = (signal: 'SIGINT' | 'SIGTERM'): void => {
    if (signalled) process.exit(signal === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm);
    signalled = signal;
    abort.abort(signal);
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const result = await runPipeline(pipeline, {
      store,
      contracts,
      outputsDir: outputs,
      executor: createLocalExecutor({
        workerEntry: join(distribution, 'src/worker/worker-main.js'),
        env: process.env,
        jobs,
      }),
      jobs,
      keepGoing: options.keepGoing === true,
      verify: options.verify === true,
      env: process.env,
      signal: abort.signal,
      emit: (event: RunEvent) => {
        reporter.event(event);
      },
    });
    if (signalled) return signalled === 'SIGINT' ? exitCodes.sigint : exitCodes.sigterm;
    return result.state === 'ok' ? exitCodes.ok : exitCodes.stageFailed;
  } finally {
    reporter.end();
  }
}

async function createReporter(json: boolean): Promise<Reporter> {
  if (json) return new NdjsonReporter(print);
  if (process.stdout.isTTY && process.env['CI'] === undefined)
    return new (await import('../reporting/live.ts')).LiveReporter(process.stdout, render);
  return new PlainReporter(print, render);
}
