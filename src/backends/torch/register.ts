import * as tfjs from '@tensorflow/tfjs-core';
import { getKernel, registerKernel, type NamedTensorInfoMap, type TensorInfo } from '@tensorflow/tfjs-core';
import type * as kernelNames from '@tensorflow/tfjs-core/dist/kernel_names.js';
import type { FusedKernel } from '../../ops/kernel.ts';
import type { Handle } from './bridge.ts';
import type { TorchBackend } from './backend.ts';
import { KernelCall } from './kernel-call.ts';

export type Kernel<Attrs> = (call: KernelCall<Attrs>) => Handle | readonly Handle[];
/** Kernels of one family by tfjs's names. */
export type Family = ReadonlyMap<string, Kernel<never>>;

/** Collects a family; a name that occurs twice is a mistake. */
export class FamilyBuilder {
  readonly kernels = new Map<string, Kernel<never>>();

  add<Attrs = Readonly<Record<string, unknown>>>(
    name: Exclude<keyof typeof kernelNames, 'default'> | FusedKernel,
    kernel: Kernel<Attrs>,
  ): this {
    if (this.kernels.has(name)) throw new TypeError(`kernel ${name} is given twice`);
    this.kernels.set(name, kernel);
    return this;
  }
}

/** tfjs kernels that this backend does not implement: text models do not need them. */
const absent = new Set<string>([
  // Images and other convolutions, pooling, resizing and drawing.
  'AvgPool',
  'AvgPoolGrad',
  'AvgPool3D',
  'AvgPool3DGrad',
  'BatchToSpaceND',
  'Conv2D',
  'Conv2DBackpropFilter',
  'Conv2DBackpropInput',
  'Conv3D',
  'Conv3DBackpropFilterV2',
  'Conv3DBackpropInputV2',
  'CropAndResize',
  'DepthToSpace',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropFilter',
  'DepthwiseConv2dNativeBackpropInput',
  'Dilation2D',
  'Dilation2DBackpropInput',
  'Dilation2DBackpropFilter',
  'Draw',
  'FlipLeftRight',
  'FromPixels',
  'FusedConv2D',
  'FusedDepthwiseConv2D',
  'LRN',
  'LRNGrad',
  'MaxPool',
  'MaxPoolGrad',
  'MaxPool3D',
  'MaxPool3DGrad',
  'MaxPoolWithArgmax',
  'NonMaxSuppressionV3',
  'NonMaxSuppressionV4',
  'NonMaxSuppressionV5',
  'Pool',
  'ResizeBilinear',
  'ResizeBilinearGrad',
  'ResizeNearestNeighbor',
  'ResizeNearestNeighborGrad',
  'RotateWithOffset',
  'SpaceToBatchND',
  'Transform',
  // Names that no operation of tfjs uses.
  'BroadcastTo',
  'LogicalXor',
  'LogSoftmax',
  'LowerBound',
  'MatrixBandPart',
  'UpperBound',
  // Complex numbers.
  'Complex',
  'ComplexAbs',
  'FFT',
  'IFFT',
  'Imag',
  'Real',
  // Strings, ragged and sparse tensors.
  'RaggedGather',
  'RaggedRange',
  'RaggedTensorToTensor',
  'SparseFillEmptyRows',
  'SparseReshape',
  'SparseSegmentMean',
  'SparseSegmentSum',
  'StaticRegexReplace',
  'StringNGrams',
  'StringSplit',
  'StringToHashBucketFast',
]);

/**
 * Register every family with tfjs. Throws when a kernel is there twice, or when one of tfjs's is neither there nor in
 * `absent`.
 */
export function registerFamilies(backendName: string, families: readonly Family[]): void {
  for (const family of families)
    for (const [kernelName, kernel] of family) {
      if (getKernel(kernelName, backendName) !== undefined)
        throw new TypeError(`kernel ${kernelName} is registered twice`);
      if (absent.has(kernelName)) throw new TypeError(`kernel ${kernelName} is there, and also listed as absent`);
      registerKernel({
        kernelName,
        backendName,
        kernelFunc: ({ inputs, attrs, backend }) => run(kernelName, kernel, inputs, attrs, backend as TorchBackend),
      });
    }
  registerKernel({
    kernelName: 'Identity',
    backendName,
    kernelFunc: ({ inputs, backend }) => (backend as TorchBackend).share(inputs.x as TensorInfo),
  });
  const missing = tfjsKernels().filter((name) => !absent.has(name) && getKernel(name, backendName) === undefined);
  if (missing.length > 0) throw new TypeError(`kernels are missing: ${missing.join(', ')}`);
}

/** tfjs exports the name of each of its kernels as a constant of that name. */
function tfjsKernels(): string[] {
  return Object.entries(tfjs).flatMap(([name, value]: [string, unknown]) => (value === name ? name : []));
}

function run(
  name: string,
  kernel: Kernel<never>,
  inputs: NamedTensorInfoMap,
  attrs: unknown,
  backend: TorchBackend,
): ReturnType<KernelCall['finish']> {
  const call = new KernelCall(backend, inputs, (attrs ?? {}) as never);
  try {
    return call.finish(kernel(call));
  } catch (error) {
    call.release();
    if (error instanceof Error) error.message = `${name}: ${error.message}`;
    throw error;
  }
}
