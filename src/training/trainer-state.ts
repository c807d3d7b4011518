import { tensor, type Variable } from '@tensorflow/tfjs-core';
import type { Optimizer } from './optimizer.ts';
import type { HostTensor } from '../model/safetensors.ts';

const parts = ['parameters', 'means', 'squares'] as const;

/**
 * Parameters and both moments as a checkpoint stores them. Each is copied to the host when it is used, because all of
 * them together are three times the model; so use them before the next update.
 */
export function captureState(optimizer: Optimizer): Map<string, HostTensor> {
  const tensors = new Map<string, HostTensor>();
  for (const part of parts)
    for (const [name, value] of optimizer[part])
      tensors.set(`${part}/${name}`, {
        shape: value.shape,
        get data() {
          return value.dataSync() as Float32Array;
        },
      });
  return tensors;
}

/** The reverse of {@link captureState}; throws when the tensors are not this model's. */
export function restoreState(optimizer: Optimizer, tensors: ReadonlyMap<string, HostTensor>): void {
  for (const part of parts)
    for (const [name, variable] of optimizer[part]) {
      const stored = tensors.get(`${part}/${name}`);
      if (stored === undefined || stored.shape.join() !== variable.shape.join())
        throw new TypeError(`the checkpoint has no ${part}/${name} of this model's shape`);
      assign(variable, stored);
    }
}

function assign(variable: Variable, { shape, data }: HostTensor): void {
  const value = tensor(data, [...shape], 'float32');
  variable.assign(value);
  value.dispose();
}
