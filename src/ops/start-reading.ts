import { engine, type DataId, type Tensor } from '@tensorflow/tfjs-core';

/**
 * Let the values of a tensor come to the host as soon as they are computed: reading it then does not wait for what is
 * queued on a GPU in the meantime. On other backends this does nothing.
 */
export function startReading({ dataId }: Tensor): void {
  (engine().backend as { startReading?: (dataId: DataId) => void }).startReading?.(dataId);
}
