import { resolve } from 'node:path';
import pc from 'picocolors';
import type { Installable } from '../backends/installation.ts';
import { findGpus } from '../executors/local.ts';
import type { SetUpStep } from '../setup/context.ts';
import { setUp } from '../setup/set-up.ts';
import { exitCodes, print, printError, refuse, render } from './exit.ts';
import { backendsRoot } from './workspace.ts';

export interface SetupOptions {
  readonly python?: string;
  readonly torchDir?: string;
  readonly tensorflowDir?: string;
  readonly force?: boolean;
}

/** `setup torch|tensorflow`: one line per step. Ctrl-C keeps completed steps. */
export async function setupCommand(
  backend: Installable,
  { python, torchDir, tensorflowDir, force }: SetupOptions,
): Promise<number> {
  const folder = backend === 'torch' ? torchDir : tensorflowDir;
  const other = backend === 'torch' ? tensorflowDir : torchDir;
  if (other !== undefined) return refuse([{ code: 'bad-option', message: `setup ${backend} takes --${backend}-dir.` }]);
  if (python !== undefined && folder !== undefined)
    return refuse([
      {
        code: 'bad-option',
        message: `--python and --${backend}-dir cannot be used together.`,
        help: 'Use one of them.',
      },
    ]);

  const abort = new AbortController();
  let signalled: 'SIGINT' | 'SIGTERM' | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => {
      signalled ??= signal;
      abort.abort();
    });
  try {
    const result = await setUp({
      backend,
      root: backendsRoot(),
      force: force === true,
      compiler: process.env['CXX'] ?? 'g++',
      gpus: findGpus(process.env).length,
      signal: abort.signal,
      say,
      ...(python === undefined ? {} : { python: python.includes('/') ? resolve(python) : python }),
      ...(folder === undefined ? {} : { folder }),
    });
    if (result.ok) {
      print(
        `${backend} is ready: \`backend: auto\` ` +
          `${backend === 'torch' ? 'now uses it' : 'uses it unless torch is set up'}, \`backend: ` +
          `${backend}\` asks for it.`,
      );
      return exitCodes.ok;
    }
    if (signalled === undefined) {
      printError(render(result.error));
      return exitCodes.stageFailed;
    }
  } catch (error) {
    if (signalled === undefined) throw error;
  }
  printError('Interrupted; completed steps are kept, and the next setup resumes there.');
  return signalled === 'SIGTERM' ? exitCodes.sigterm : exitCodes.sigint;
}

function say({ name, done, text }: SetUpStep): void {
  print(`${done ? pc.green('ok') : pc.dim('..')}  ${name.padEnd(9)} ${text}`);
}
