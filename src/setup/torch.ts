import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok } from '../core/result.ts';
import { readText } from '../store/files.ts';
import { unusable, type Bridge } from './bridge.ts';

/** Our addon over libtorch, from a wheel of pip's or a libtorch archive. */
export const torchBridge: Bridge = {
  backend: 'torch', title: 'PyTorch', module: 'torch',
  pythons: [10, 14], versions: [11, 13], addonName: 'torch_bridge.node',
  requirement: () => 'torch==2.13.0',
  // Where that index can't be reached, the default one serves the same version with CUDA, which works without a GPU too.
  pipArguments: (cuda) => (cuda ? [] : ['--extra-index-url', 'https://download.pytorch.org/whl/cpu']),

  async inspect(folder) {
    const missing = ['include/ATen', 'lib/libtorch.so', 'lib/libtorch_cpu.so'].find((name) => !existsSync(join(folder, name)));
    if (missing !== undefined) return err(unusable(this.title, folder, `it has no ${missing}`));
    const version = /__version__ = '([^']+)'/.exec(readText(join(folder, 'version.py')) ?? '')?.[1] ?? readText(join(folder, 'build-version'))?.trim();
    if (version === undefined || version === '') return err(unusable(this.title, folder, 'it does not say which version it is (version.py or build-version)'));
    return ok({ folder, version, cuda: existsSync(join(folder, 'lib/libtorch_cuda.so')), library: join(folder, 'lib/libtorch_cpu.so') });
  },

  // The bridge itself is not in this version: src/backends/torch.
  compile: async () => err({ code: 'backend-unavailable', message: 'This version of run-pipeline has no torch backend.', help: 'Use `setup tensorflow`.' }),
};
