import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { err, ok } from '../core/result.ts';
import { readText } from '../store/files.ts';
import { compileTorch } from './compile-torch.ts';
import { unusable, type Recipe } from './recipe.ts';

/** The oldest PyTorch whose operators the kernels use as they are declared today. */
const oldest = [2, 5] as const;

/** Our bridge over libtorch, from a wheel of pip's or a libtorch archive. */
export const torchRecipe: Recipe = {
  backend: 'torch',
  title: 'PyTorch',
  module: 'torch',
  pythons: [10, 14],
  versions: [11, 13],
  bridgeName: 'torch_bridge.node',
  requirement: () => 'torch==2.13.0',
  // If that index is unreachable, the default one serves the same version with CUDA, which also works without a GPU.
  pipArguments: (cuda) => (cuda ? [] : ['--extra-index-url', 'https://download.pytorch.org/whl/cpu']),

  async inspect(folder) {
    const missing = ['include/ATen', 'lib'].find((name) => !existsSync(join(folder, name)));
    if (missing !== undefined) return err(unusable(this.title, folder, `it has no ${missing}`));
    const version = versionOf(folder);
    if (version === undefined)
      return err(unusable(this.title, folder, 'neither its version.py nor its build-version says which version it is'));
    const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
    if (major < oldest[0] || (major === oldest[0] && minor < oldest[1]))
      return err(
        unusable(this.title, folder, `it is version ${version}, and ${oldest.join('.')} is the oldest that will do`),
      );
    return ok({
      folder,
      version,
      cuda: readdirSync(join(folder, 'lib')).some((name) => name.startsWith('libtorch_cuda')),
      library: join(folder, 'lib/libtorch_cpu.so'),
    });
  },

  compile: compileTorch,
};

/** Of a wheel, or of a libtorch archive. */
function versionOf(folder: string): string | undefined {
  const python = /^__version__\s*=\s*'([^']+)'/m.exec(readText(join(folder, 'version.py')) ?? '')?.[1];
  return python ?? (readText(join(folder, 'build-version'))?.trim() || undefined);
}
