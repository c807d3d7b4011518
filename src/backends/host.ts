import {
  registerKernel,
  type DataType,
  type KernelBackend,
  type NamedTensorInfoMap,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import { hostKernels } from '../ops/host-kernels.ts';
import type { HostArray } from '../ops/kernel.ts';

/** How to reach the memory of a backend whose tensors lie in this process. */
export interface HostMemory<B extends KernelBackend> {
  allocate(backend: B, shape: number[], dtype: DataType): TensorInfo;
  /** A view, not a copy; good until the next allocation. */
  view(backend: B, info: TensorInfo): HostArray;
  /** Called for each input of a kernel that writes into its inputs. */
  changed(backend: B, info: TensorInfo): void;
}

/** Register every host kernel of `ops/` for a backend. tfjs throws when one is registered twice. */
export function registerHostKernels<B extends KernelBackend>(backendName: string, memory: HostMemory<B>): void {
  for (const kernel of hostKernels) {
    registerKernel({
      kernelName: kernel.name,
      backendName,
      kernelFunc: ({ inputs, backend, attrs }) => {
        const host = backend as B;
        const infos =
          kernel.inputs === 'list'
            ? (Object.values(inputs) as TensorInfo[])
            : kernel.inputs.map((name) => input(inputs, name, kernel.name));
        const shapes = infos.map((info) => info.shape);
        const numbers = (attrs ?? {}) as unknown as Record<string, number>;
        const outputs = kernel.outputs(shapes, numbers).map(({ shape, dtype }) => memory.allocate(host, shape, dtype));
        kernel.run(
          infos.map((info) => memory.view(host, info)),
          outputs.map((info) => memory.view(host, info)),
          numbers,
          shapes,
        );
        if (kernel.inPlace === true) for (const info of infos) memory.changed(host, info);
        return outputs;
      },
    });
  }
}

function input(inputs: NamedTensorInfoMap, name: string, kernel: string): TensorInfo {
  const info = inputs[name];
  if (info === undefined) throw new TypeError(`kernel ${kernel} was called without its input '${name}'`);
  return info;
}
