import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readInstallation, torchSources } from '../../src/backends/installation.ts';
import { getBackend, tensor1d, tidy } from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { loadBridge } from '../../src/backends/torch/bridge.ts';
import { registerTorch } from '../../src/backends/torch/index.ts';
import { dropout } from '../../src/ops/index.ts';
import { backendsRoot, torch, torchMissing } from '../rig/backends.ts';
import { realNvrtc } from '../rig/fake-cuda.ts';
import { because } from '../rig/skipped.ts';

const installation = readInstallation(backendsRoot, 'torch');
const nvrtc = installation.ok ? realNvrtc(installation.value.folder) : { missing: torchMissing ?? '' };
const source = readFileSync(join(torchSources(), 'kernels.cu'), 'utf8');
const bridgePath = torch?.native?.bridge ?? '';
afterEach(() => {
  delete process.env.FAKE_CUDA_CAPABILITY;
});

describe.skipIf(!('library' in nvrtc))(
  `our kernels for GPUs${because('missing' in nvrtc ? nvrtc.missing : undefined)}`,
  () => {
    const library = 'library' in nvrtc ? nvrtc.library : '';

    test.each([
      { gpu: 'A100', capability: 80 },
      { gpu: 'H100', capability: 90 },
      { gpu: 'B200', capability: 100 },
    ])('NVRTC compiles them for an $gpu', ({ capability }) => {
      process.env.FAKE_CUDA_CAPABILITY = String(capability);
      expect(loadBridge(bridgePath).compileKernels(library, source)).toBe(capability);
    });

    test('what NVRTC says of a mistake is said', () => {
      expect(() => loadBridge(bridgePath).compileKernels(library, source.replace('erff(', 'errf('))).toThrow(
        /sm_90: .*identifier "errf" is undefined/s,
      );
    });
  },
);

test.skipIf(torch === undefined)(
  `without a driver, training goes on with the operators of ATen, and says so${because(torchMissing)}`,
  async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockReturnValue();
    await openBackend(torch ?? 'torch');
    registerTorch(bridgePath, { driver: join(dirname(bridgePath), 'libnone.so') });
    expect(warn).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/our own kernels can't be used.*libnone\.so/));
    tidy(() => {
      expect(getBackend()).toBe('torch');
      expect([...dropout(tensor1d([1, 1, 1, 1]), 0.5, 3).dataSync()].every((value) => value === 0 || value === 2)).toBe(
        true,
      );
    });
  },
);
