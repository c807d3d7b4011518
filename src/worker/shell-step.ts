import { join } from 'node:path';
import { $ } from 'zx';
import { fail } from '../core/diagnostic.ts';
import type { ShellStep } from '../core/pipeline.ts';
import type { ActionRequest, WorkerMessage } from '../core/worker.ts';
import { forwardLines } from './forward-lines.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that a script sees without declaring them: what programs need to start, and its GPUs. */
const passed = ['PATH', 'HOME', 'LANG', 'TMPDIR', 'CUDA_VISIBLE_DEVICES'];

/**
 * Run a `run: |` step: bash with `set -euo pipefail` (zx's prefix), in the attempt directory. `$IN_<PORT>` is the
 * folder of an input (several are separated by spaces) and `$OUT_<PORT>` the folder to fill. Only {@link passed} and
 * the names under `env:` are passed from the environment.
 */
export async function runShellStep(
  request: ActionRequest,
  step: ShellStep,
  send: (message: WorkerMessage) => void,
  signal: AbortSignal,
  environment: Environment,
): Promise<void> {
  const env: Record<string, string> = {};
  for (const name of passed) if (environment[name] !== undefined) env[name] = environment[name];
  Object.assign(env, request.env);
  for (const [port, artifacts] of Object.entries(request.inputs))
    env[`IN_${variable(port)}`] = artifacts.map((artifact) => artifact.folder).join(' ');
  for (const port of Object.keys(request.outputs)) env[`OUT_${variable(port)}`] = join(request.attempt, port);
  const process = $({
    cwd: request.attempt,
    env,
    nothrow: true,
    quiet: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
    quote: (script) => script,
  })`${step.script}`;
  for (const stream of ['stdout', 'stderr'] as const)
    forwardLines(process[stream], (text) => send({ type: 'log', stream, text }));
  const result = await process;
  if (result.exitCode !== 0) {
    const last = result.stderr.trim().split('\n').at(-1);
    fail(
      'step-failed',
      'The step ended with ' +
        `${result.signal ? `signal ${result.signal}` : `exit code ${result.exitCode}`}${last ? `: ${last}` : '.'}`,
      'Its full output is in `run-pipeline logs`.',
    );
  }
}

const variable = (port: string): string => port.toUpperCase().replaceAll('-', '_');
