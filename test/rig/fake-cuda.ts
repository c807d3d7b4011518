import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { torchSources } from '../../src/backends/installation.ts';

const compiler = process.env.CXX ?? 'g++';
const folder = mkdtempSync(join(tmpdir(), 'fake-cuda-'));

/** Returns what the compiler says against it. */
function compile(library: string, ...flags: string[]): string | undefined {
  const { status, stderr } = spawnSync(
    compiler,
    [
      '-std=c++20',
      '-O1',
      '-shared',
      '-fPIC',
      '-pthread',
      `-DKERNELS_CU="${join(torchSources(), 'kernels.cu')}"`,
      fileURLToPath(new URL('fake-cuda.cc', import.meta.url)),
      '-o',
      library,
      ...flags,
    ],
    { encoding: 'utf8' },
  );
  return status === 0
    ? undefined
    : `${compiler} can't compile test/rig/fake-cuda.cc, which is C++20: ${stderr ?? 'it is missing'}`;
}

/** A library that passes for NVRTC and the CUDA driver, with a GPU made of threads. */
export const fakeCuda = join(folder, 'libcuda.so');
/** Why our kernels for GPUs can't be run here, if they can't. */
export const fakeCudaMissing = compile(fakeCuda);

/**
 * A library with NVIDIA's compiler, as it comes with this PyTorch, and a driver that takes what it makes but runs
 * nothing; or why there is none.
 */
export function realNvrtc(torchFolder: string): { library: string } | { missing: string } {
  const nvidia = join(dirname(torchFolder), 'nvidia');
  const nvrtc = list(nvidia).flatMap((name) =>
    list(join(nvidia, name, 'lib'))
      .filter((file) => file.startsWith('libnvrtc.so'))
      .map((file) => join(nvidia, name, 'lib', file)),
  )[0];
  if (nvrtc === undefined) return { missing: `the PyTorch in ${torchFolder} has no NVRTC beside it` };
  const library = join(folder, 'libnvrtc-and-driver.so');
  // Found from one library by the next, as libtorch's own libcaffe2_nvrtc.so has it.
  const problem = compile(
    library,
    '-DREAL_NVRTC',
    '-Wl,--no-as-needed',
    `-L${dirname(nvrtc)}`,
    `-l:${basename(nvrtc)}`,
    `-Wl,--disable-new-dtags,-rpath,${dirname(nvrtc)}`,
  );
  return problem === undefined ? { library } : { missing: problem };
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
