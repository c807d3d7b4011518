import { findBackend, registerBackend } from '@tensorflow/tfjs-core';
import { loadBridge } from './bridge.ts';
import { TorchBackend, type TorchOptions } from './backend.ts';
import { attentionKernels } from './kernels/attention.ts';
import { biasGeluKernels } from './kernels/bias-gelu.ts';
import { binaryKernels } from './kernels/binary.ts';
import { dropoutKernels } from './kernels/dropout.ts';
import { fusedKernels } from './kernels/fused.ts';
import { indexKernels } from './kernels/index.ts';
import { matmulKernels } from './kernels/matmul.ts';
import { normalizeKernels } from './kernels/normalize.ts';
import { randomKernels } from './kernels/random.ts';
import { reduceKernels } from './kernels/reduce.ts';
import { residualNormKernels } from './kernels/residual-norm.ts';
import { shapeKernels } from './kernels/shape.ts';
import { unaryKernels } from './kernels/unary.ts';
import { registerFamilies } from './register.ts';

const families = [
  unaryKernels,
  binaryKernels,
  matmulKernels,
  reduceKernels,
  shapeKernels,
  indexKernels,
  randomKernels,
  normalizeKernels,
  fusedKernels,
  dropoutKernels,
  biasGeluKernels,
  residualNormKernels,
  attentionKernels,
];
let backend: TorchBackend | undefined;

/**
 * Make the `torch` backend known to tfjs, over a compiled bridge (`setup torch` makes one). Asked for another precision
 * than before, the same backend changes over; tensors keep what they are held in. Throws what the loader says when the
 * bridge does not load, or that there is no GPU for `device: cuda`.
 */
export function registerTorch(bridgePath: string, options: TorchOptions = {}): void {
  backend ??= open(bridgePath, options);
  backend.use(options);
  if (findBackend('torch') !== null) return;
  registerFamilies('torch', families);
  registerBackend('torch', () => backend as TorchBackend);
}

function open(bridgePath: string, options: TorchOptions): TorchBackend {
  const bridge = loadBridge(bridgePath);
  if (options.device === 'cuda' && !bridge.hasGpu())
    throw new Error(
      'libtorch does not find a usable GPU: the NVIDIA driver is missing, too old for the CUDA version of this ' +
        'PyTorch, or hides its GPUs (check with nvidia-smi)',
    );
  return new TorchBackend(bridge, options);
}

/** Set the number of threads of ATen. The last bits of sums may depend on it. */
export function useThreads(count: number): void {
  backend?.bridge.setThreads(count);
}
