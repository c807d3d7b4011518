import { homedir } from 'node:os';
import { join } from 'node:path';
import { installable, readInstallation } from '../../src/backends/installation.ts';
import { createBackendResolver } from '../../src/backends/resolve.ts';
import type { BackendChoice } from '../../src/core/backend.ts';
import { absent } from './skipped.ts';

/** Where this machine has its backends; without CUDA, so that results can be compared. */
export const backendsRoot = process.env.RUN_PIPELINE_BACKENDS ?? join(homedir(), '.cache/run-pipeline/backends');
const resolve = createBackendResolver({ root: backendsRoot, gpus: 0 });

/** Why a backend cannot be tested here, for each that has to be set up and is not. */
export const missingBackends: ReadonlyMap<string, string> = new Map(
  installable.flatMap((name) => {
    const found = readInstallation(backendsRoot, name);
    return found.ok ? [] : [[name, `${name} ${found.error} in ${backendsRoot}: run-pipeline setup ${name}`] as const];
  }),
);
export const torchMissing = missingBackends.get('torch');

/** Tests to be skipped, one for each backend that has to be set up and is not. */
export function absentBackends(name: string): void {
  for (const [backend, reason] of missingBackends) absent(`${name} on ${backend}`, reason);
}

/** Every backend that this machine has, the embedded ones first. */
export const availableBackends: readonly BackendChoice[] = [
  resolve('cpu'),
  resolve('wasm'),
  ...installable.filter((name) => !missingBackends.has(name)).map((name) => resolve(name)),
];
export const torch = availableBackends.find(({ name }) => name === 'torch');
