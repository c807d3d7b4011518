import '@tensorflow/tfjs-backend-cpu';
import { util, type KernelBackend } from '@tensorflow/tfjs-core';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js';
import { registerHostKernels } from './host.ts';
import type { HostArray } from '../ops/kernel.ts';

/** tfjs's JavaScript backend: slow, exact, always available. */
export function registerCpu(): void {
  registerHostKernels<MathBackendCPU & KernelBackend>('cpu', {
    allocate: (backend, shape, dtype) =>
      backend.makeTensorInfo(
        shape,
        dtype,
        util.makeZerosTypedArray(util.sizeFromShape(shape), dtype as 'float32' | 'int32'),
      ),
    view: (backend, info) => backend.data.get(info.dataId).values as HostArray,
    changed: () => {},
  });
}
