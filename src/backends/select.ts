import { enableProdMode, ready, setBackend } from '@tensorflow/tfjs-core';
import { fail } from '../core/diagnostic.ts';
import { backendsFolder } from './location.ts';
import { findInstallation } from './torch/addon.ts';

export type BackendName = 'torch' | 'wasm' | 'cpu';

/** In which type matrix products are computed; bf16 on torch only. */
export type Precision = 'fp32' | 'bf16';

export interface OpenBackend {
  readonly name: BackendName;
  /** Why this one, for the log. */
  readonly reason: string;
}

const registered = new Set<BackendName>();

/**
 * Make a backend current for every tensor operation of this process. `auto` takes the fastest that works here.
 * Fails with `backend-unavailable` when the one asked for does not start.
 */
export async function openBackend(name: 'auto' | BackendName, precision: Precision = 'fp32'): Promise<OpenBackend> {
  if (name !== 'auto') {
    const problem = await start(name, precision);
    if (problem !== undefined) fail('backend-unavailable', `backend '${name}' does not start: ${problem}`, name === 'torch' ? 'Run `run-pipeline setup torch`, or use backend: auto.' : "Use backend: auto, or reinstall the project's packages with npm ci.");
    return { name, reason: 'asked for' };
  }
  const problem = await start('wasm', precision);
  if (problem === undefined) return { name: 'wasm', reason: 'the fastest that is installed' };
  await start('cpu', precision);
  return { name: 'cpu', reason: `wasm does not start: ${problem}` };
}

/** Returns what went wrong, if anything did. */
async function start(name: BackendName, precision: Precision): Promise<string | undefined> {
  try {
    // Otherwise tfjs prints advertisements to the console.
    enableProdMode();
    if (name === 'torch') {
      const installation = findInstallation(backendsFolder());
      if (installation === undefined) return 'it is not set up on this machine';
      (await import('./torch/index.ts')).registerTorch(installation.addon, { precision });
    } else if (precision === 'bf16') {
      return 'it computes in fp32 only';
    } else if (!registered.has(name)) {
      if (name === 'wasm') (await import('./wasm.ts')).registerWasm();
      else (await import('./cpu.ts')).registerCpu();
      registered.add(name);
    }
    const started = await setBackend(name);
    await ready();
    return started ? undefined : 'tfjs refused it';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
