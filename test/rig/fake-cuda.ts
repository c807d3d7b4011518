import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { torchSources } from '../../src/backends/installation.ts';

const compiler = process.env.CXX ?? 'g++';
const library = join(mkdtempSync(join(tmpdir(), 'fake-cuda-')), 'libcuda.so');
const { status, stderr } = spawnSync(compiler, [
  '-std=c++20', '-O1', '-shared', '-fPIC', '-pthread', `-DKERNELS_CU="${join(torchSources(), 'kernels.cu')}"`, fileURLToPath(new URL('fake-cuda.cc', import.meta.url)), '-o', library,
], { encoding: 'utf8' });

/** Why our kernels for GPUs can't be run here, if they can't. */
export const fakeCudaMissing = status === 0 ? undefined : `${compiler} can't compile test/rig/fake-cuda.cc, which is C++20: ${stderr ?? 'it is missing'}`;
/** A library that passes for NVRTC and the CUDA driver, with a GPU made of threads. */
export const fakeCuda = library;
