import { findInstallation } from '../../src/backends/torch/addon.ts';
import { backendsFolder, useBackendsFolder } from '../../src/backends/location.ts';
import type { BackendName } from '../../src/backends/select.ts';

const override = process.env.RUN_PIPELINE_BACKENDS;
if (override !== undefined) useBackendsFolder(override);

/** Why torch cannot be tested here, or undefined when it can. */
export const torchMissing = findInstallation(backendsFolder()) === undefined ? `torch is not set up in ${backendsFolder()}: run-pipeline setup torch` : undefined;

/** Every backend that this machine has, the embedded ones first. */
export const availableBackends: readonly BackendName[] = ['cpu', 'wasm', ...(torchMissing === undefined ? (['torch'] as const) : [])];
