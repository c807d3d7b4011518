import { createBackendResolver } from '../../src/backends/resolve.ts';
import type { BackendChoice } from '../../src/core/backend.ts';

/** The torch backend that the first step has built, on `cuda` or `cpu`; refused where it has no CUDA. */
export function torchOn(device: string): BackendChoice {
  const root = process.env['RUN_PIPELINE_BACKENDS'] ?? '';
  const choice = createBackendResolver({ root, gpus: device === 'cuda' ? 1 : 0 })('torch');
  if (choice.device !== device) throw new Error(`the torch backend in ${root} cannot compute on ${device}`);
  return choice;
}
