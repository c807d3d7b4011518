import { join } from 'node:path';
import { buildAddon, findTorch } from '../backends/torch/build.ts';
import { err, ok } from '../core/result.ts';
import type { Bridge } from './bridge.ts';

/** Our addon over libtorch, from a wheel of pip's or a libtorch archive. */
export const torchBridge: Bridge = {
  backend: 'torch',
  title: 'PyTorch',
  module: 'torch',
  pythons: [10, 14],
  versions: [11, 13],
  addonName: 'torch_bridge.node',
  requirement: () => 'torch==2.13.0',
  // If that index is unreachable, the default one serves the same version with CUDA, which also works without a GPU.
  pipArguments: (cuda) => (cuda ? [] : ['--extra-index-url', 'https://download.pytorch.org/whl/cpu']),

  async inspect(folder) {
    const found = await findTorch({ folder });
    return found.ok
      ? ok({
          folder,
          version: found.value.version,
          cuda: found.value.cuda,
          library: join(folder, 'lib/libtorch_cpu.so'),
        })
      : found;
  },

  async compile({ package: { folder }, compiler, output }) {
    const torch = await findTorch({ folder });
    if (!torch.ok) return torch;
    const built = await buildAddon({ torch: torch.value, output, compiler });
    return built.ok ? ok(undefined) : err(built.error);
  },
};
