import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { torchSources } from '../backends/installation.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { ok, type Result } from '../core/result.ts';
import { readText } from '../store/files.ts';
import { compileWith } from './compiler.ts';
import type { CompileJob } from './recipe.ts';

/** Compile `native/*.cc` against a PyTorch, its libraries found again by their absolute path. */
export async function compileTorch({
  package: { folder, cuda },
  compiler,
  output,
  signal,
}: CompileJob): Promise<Result<void, Diagnostic>> {
  const objects = mkdtempSync(join(dirname(output), 'objects-'));
  try {
    const flags = compileFlags(folder, cuda);
    const compiled = await Promise.all(
      sources().map(async (source) => {
        const object = join(objects, `${basename(source, '.cc')}.o`);
        const result = await compileWith(compiler, [...flags, '-c', source, '-o', object], signal);
        return result.ok ? ok(object) : result;
      }),
    );
    const paths: string[] = [];
    for (const object of compiled) {
      if (!object.ok) return object;
      paths.push(object.value);
    }
    return await compileWith(compiler, [...paths, ...linkFlags(folder, cuda), '-o', output], signal);
  } finally {
    rmSync(objects, { recursive: true, force: true });
  }
}

function sources(): string[] {
  const folder = torchSources();
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cc'))
    .sort()
    .map((name) => join(folder, name));
}

/** Flags for one object file. */
function compileFlags(folder: string, cuda: boolean): string[] {
  const require = createRequire(import.meta.url);
  const includes = [
    dirname(require.resolve('node-addon-api/package.json')),
    join(dirname(require.resolve('node-api-headers/package.json')), 'include'),
  ];
  const headers = [join(folder, 'include'), join(folder, 'include/torch/csrc/api/include')];
  return [
    '-std=c++17',
    '-O3',
    '-fPIC',
    '-fopenmp',
    `-D_GLIBCXX_USE_CXX11_ABI=${hasOldAbi(folder) ? 0 : 1}`,
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
    ...(cuda ? ['-DRUN_PIPELINE_CUDA'] : []),
    ...includes.map((include) => `-I${include}`),
    ...headers.flatMap((header) => ['-isystem', header]),
  ];
}

/**
 * Whether its strings are not of the C++11 ABI, so that ours must not be either. Its own word for CMake says when they
 * are not; since 2.6 there is only the new ABI, and nothing is said.
 */
function hasOldAbi(folder: string): boolean {
  const config = readText(join(folder, 'share/cmake/Torch/TorchConfig.cmake'));
  return config?.includes('_GLIBCXX_USE_CXX11_ABI=0') === true;
}

function linkFlags(folder: string, cuda: boolean): string[] {
  const lib = join(folder, 'lib');
  // Nothing here names libtorch_cuda's symbols; unless told, the linker would leave it out, and with it every CUDA
  // kernel.
  const libraries = [
    '-ltorch',
    '-ltorch_cpu',
    '-lc10',
    '-ldl',
    ...(cuda ? ['-Wl,--no-as-needed', '-ltorch_cuda', '-lc10_cuda'] : []),
  ];
  return ['-shared', '-fopenmp', `-L${lib}`, `-Wl,-rpath,${lib}`, ...libraries];
}
