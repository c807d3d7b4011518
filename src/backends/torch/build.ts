import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Diagnostic } from '../../core/diagnostic.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { torchSources } from '../installation.ts';

const run = promisify(execFile);

/** The oldest PyTorch whose operators the kernels use as they are declared today. */
export const minimumVersion = '2.5';

/** A PyTorch (or libtorch) on this machine, with what is needed to compile against it. */
export interface TorchLibrary {
  /** The folder that holds `include/` and `lib/`. */
  readonly folder: string;
  readonly version: string;
  /** Whether its strings are of the C++11 ABI, so that ours must be too. */
  readonly cxx11Abi: boolean;
  readonly cuda: boolean;
}

/** Where to look: a Python that can import torch, or the folder itself. */
export type TorchPlace = { readonly python: string } | { readonly folder: string };

/** Find a PyTorch without importing it, which would take seconds. */
export async function findTorch(place: TorchPlace): Promise<Result<TorchLibrary, Diagnostic>> {
  const folder = 'folder' in place ? ok(place.folder) : await folderOf(place.python);
  return folder.ok ? inspect(folder.value) : folder;
}

async function folderOf(python: string): Promise<Result<string, Diagnostic>> {
  try {
    const { stdout } = await run(python, [
      '-c',
      'import importlib.util as u; s = u.find_spec("torch"); print(list(s.submodule_search_locations)[0] if s else "")',
    ]);
    if (stdout.trim() !== '') return ok(stdout.trim());
    return err({
      code: 'torch-not-found',
      message: `${python} does not have the module torch.`,
      help: `Install it with ${python} -m pip install torch, or choose another Python.`,
    });
  } catch (error) {
    return err({
      code: 'python-not-found',
      message: `${python} does not run: ${(error as Error).message}`,
      help: 'Install Python 3, or choose one that works.',
    });
  }
}

function inspect(folder: string): Result<TorchLibrary, Diagnostic> {
  const read = (...names: string[]): string =>
    names
      .map((name) => join(folder, name))
      .filter((file) => existsSync(file))
      .map((file) => readFileSync(file, 'utf8'))[0] ?? '';
  const version = /^__version__\s*=\s*'([^']+)'/m.exec(read('version.py'))?.[1] ?? read('build-version').trim();
  if (version === '' || !existsSync(join(folder, 'include/ATen')) || !existsSync(join(folder, 'lib')))
    return err({
      code: 'torch-not-found',
      message: `${folder} is not a PyTorch installation with headers and libraries.`,
      help:
        'Choose the folder that contains include/ATen and lib: the torch folder in site-packages, or an unpacked ' +
        'libtorch.',
    });
  if (compareVersions(version, minimumVersion) < 0)
    return err({
      code: 'torch-too-old',
      message: `PyTorch ${version} in ${folder} is too old.`,
      help: `Install ${minimumVersion} or newer.`,
    });
  // Its own word for CMake says when the ABI is the old one; since 2.6 there is only the new one, and nothing is said.
  const cxx11Abi = !read('share/cmake/Torch/TorchConfig.cmake').includes('_GLIBCXX_USE_CXX11_ABI=0');
  return ok({
    folder,
    version,
    cxx11Abi,
    cuda: readdirSync(join(folder, 'lib')).some((name) => name.startsWith('libtorch_cuda')),
  });
}

function compareVersions(a: string, b: string): number {
  const [[majorA = 0, minorA = 0], [majorB = 0, minorB = 0]] = [a, b].map((version) =>
    version.split('.').map((part) => Number.parseInt(part, 10)),
  ) as [number[], number[]];
  return majorA - majorB || minorA - minorB;
}

export interface BuildOptions {
  readonly torch: TorchLibrary;
  /** Path of the addon to write, ending in `.node`. */
  readonly output: string;
  /** C++17 compiler. */
  readonly compiler: string;
}

/**
 * Compile `native/*.cc` against a PyTorch, its libraries found again by their absolute path. Replaces the output in one
 * step.
 */
export async function buildAddon(options: BuildOptions): Promise<Result<string, Diagnostic>> {
  const { output, compiler } = options;
  mkdirSync(dirname(output), { recursive: true });
  const scratch = mkdtempSync(join(dirname(output), '.build-'));
  try {
    const compiled = await Promise.all(
      sources().map(async (source) => {
        const object = join(scratch, `${basename(source, '.cc')}.o`);
        await run(compiler, [...compileFlags(options.torch), '-c', source, '-o', object], { maxBuffer: 1 << 26 });
        return object;
      }),
    );
    const addon = join(scratch, 'addon.node');
    await run(compiler, [...compiled, ...linkFlags(options.torch), '-o', addon], { maxBuffer: 1 << 26 });
    renameSync(addon, output);
    return ok(output);
  } catch (error) {
    const { code, stderr, message } = error as Error & { code?: string; stderr?: string };
    if (code === 'ENOENT')
      return err({
        code: 'compiler-not-found',
        message: `${compiler} was not found.`,
        help: 'Install a C++17 compiler (Debian and Ubuntu: apt-get install g++; Fedora: dnf install gcc-c++).',
      });
    return err({
      code: 'addon-build-failed',
      message: `Compiling the bridge against PyTorch ${options.torch.version} failed: ${firstErrors(stderr ?? message)}`,
      help: 'Try another PyTorch, or report this with the complete message.',
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Flags for one object file. */
function compileFlags({ folder, cxx11Abi, cuda }: TorchLibrary): string[] {
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
    `-D_GLIBCXX_USE_CXX11_ABI=${cxx11Abi ? 1 : 0}`,
    '-DNAPI_VERSION=8',
    '-DNAPI_CPP_EXCEPTIONS',
    ...(cuda ? ['-DRUN_PIPELINE_CUDA'] : []),
    ...includes.map((include) => `-I${include}`),
    ...headers.flatMap((header) => ['-isystem', header]),
  ];
}

function linkFlags({ folder, cuda }: TorchLibrary): string[] {
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

function sources(): string[] {
  const folder = torchSources();
  return readdirSync(folder)
    .filter((name) => name.endsWith('.cc'))
    .sort()
    .map((name) => join(folder, name));
}

function firstErrors(text: string): string {
  const lines = text.split('\n').filter((line) => /error|undefined reference|cannot find/.test(line));
  return (lines.length > 0 ? lines : text.split('\n')).slice(0, 5).join('\n');
}
