import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const ownEnvironment = new URL('../../.venv/bin/python', import.meta.url).pathname;

/**
 * The Python that tests compare with: `RUN_PIPELINE_PYTHON`, else the project's `.venv`, else whatever `python3` is.
 */
export const python = process.env['RUN_PIPELINE_PYTHON'] || (existsSync(ownEnvironment) ? ownEnvironment : 'python3');

/**
 * Why tests that import these modules cannot run here, printed once as their reason to skip; `undefined` when they can.
 */
export function missingModules(...modules: string[]): string | undefined {
  const missing = modules.filter(
    (name) =>
      spawnSync(python, [
        '-c',
        `import importlib.util, sys; sys.exit(importlib.util.find_spec(${JSON.stringify(name)}) is None)`,
      ]).status !== 0,
  );
  if (missing.length === 0) return undefined;
  const reason = `${python} has no ${missing.join(', ')} (RUN_PIPELINE_PYTHON names another Python)`;
  console.log(`skipped: ${reason}`);
  return reason;
}

/** Why native bridges cannot be compiled here; `undefined` when they can. */
export const missingCompiler = (): string | undefined =>
  spawnSync('g++', ['--version']).status === 0 ? undefined : 'there is no g++';

/**
 * Run a program (`-c`) or script with something on its standard input; throws what it wrote to standard error when it
 * fails.
 */
export function runPython(args: readonly string[], input?: unknown): string {
  const { status, stdout, stderr, error } = spawnSync(python, args, {
    ...(input === undefined ? {} : { input: JSON.stringify(input) }),
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, HF_HUB_OFFLINE: '1', CUDA_VISIBLE_DEVICES: '' },
  });
  if (status !== 0) throw new Error(stderr || String(error));
  return stdout;
}
