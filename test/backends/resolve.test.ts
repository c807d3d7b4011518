import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { installationFile } from '../../src/backends/installation.ts';
import { createBackendResolver } from '../../src/backends/resolve.ts';
import { madeBackends, noBackends } from '../rig/made-backends.ts';

describe('auto', () => {
  it('is wasm where nothing is set up, and says what would be faster', () => {
    expect(createBackendResolver({ root: noBackends(), gpus: 2 })('auto')).toEqual({
      name: 'wasm',
      version: expect.stringMatching(/^4\./),
      device: 'cpu',
      precisions: ['fp32'],
      reason: 'torch is not set up, tensorflow is not set up',
      hint: expect.stringContaining('npx run-pipeline setup torch'),
    });
  });

  it('is what is set up', () => {
    const { root, bridge } = madeBackends();
    expect(createBackendResolver({ root, gpus: 0 })('auto')).toMatchObject({
      name: 'tensorflow',
      version: '2.21.0',
      device: 'cpu',
      native: { bridge },
      reason: 'the fastest that is set up',
    });
  });

  it('is also what was set up when a bridge was called an addon', () => {
    const { root, bridge } = madeBackends();
    const file = installationFile(root, 'tensorflow');
    writeFileSync(file, readFileSync(file, 'utf8').replace('"bridge":', '"addon":'));
    expect(createBackendResolver({ root, gpus: 0 })('auto')).toMatchObject({ name: 'tensorflow', native: { bridge } });
  });

  it.each<{ name: string; break: (made: ReturnType<typeof madeBackends>) => void; why: string }>([
    {
      name: 'a bridge that is gone',
      break: ({ bridge }) => {
        rmSync(bridge);
      },
      why: 'is gone',
    },
    {
      name: 'a library that is gone',
      break: ({ library }) => {
        rmSync(library);
      },
      why: 'is gone',
    },
    {
      name: 'a library that was upgraded',
      break: ({ library }) => {
        utimesSync(library, 1, 1);
      },
      why: 'has changed since',
    },
    {
      name: 'a record that is torn',
      break: ({ root }) => {
        writeFileSync(installationFile(root, 'tensorflow'), '{ "v": 1, "back');
      },
      why: 'another version of run-pipeline',
    },
  ])('passes over $name, and says why', ({ break: damage, why }) => {
    const made = madeBackends();
    damage(made);
    const resolve = createBackendResolver({ root: made.root, gpus: 0 });
    expect(resolve('auto')).toMatchObject({ name: 'wasm', reason: expect.stringContaining(why) });
    expect(() => resolve('tensorflow')).toThrow(why);
  });

  it('passes over a bridge that was compiled from other sources', () => {
    const { root } = madeBackends({ sources: 'of last year' });
    expect(createBackendResolver({ root, gpus: 0 })('auto')).toMatchObject({
      name: 'wasm',
      reason: expect.stringContaining('another version of its bridge'),
    });
  });
});

describe('the device', () => {
  it.each([
    { cuda: true, machine: 1, stage: undefined, device: 'cuda' },
    { cuda: true, machine: 1, stage: 2, device: 'cuda' },
    { cuda: true, machine: 1, stage: 0, device: 'cpu' },
    { cuda: true, machine: 0, stage: 1, device: 'cpu' },
    { cuda: false, machine: 1, stage: 1, device: 'cpu' },
  ])(
    '$device: libraries with CUDA $cuda, GPUs of the machine $machine, of the stage $stage',
    ({ cuda, machine, stage, device }) => {
      expect(
        createBackendResolver({ root: madeBackends({ cuda }).root, gpus: machine })('tensorflow', stage).device,
      ).toBe(device);
    },
  );

  it.each([
    { cuda: true, gpus: 1, device: 'cuda', hint: 'untested on a GPU' },
    { cuda: true, gpus: 0, device: 'cpu', hint: 'has CUDA, but this machine shows no GPU' },
    { cuda: false, gpus: 1, device: 'cpu', hint: undefined },
  ])(
    'of torch is $device with $gpus GPUs and CUDA $cuda, and says what to know of it',
    ({ cuda, gpus, device, hint }) => {
      const choice = createBackendResolver({
        root: madeBackends({ backend: 'torch', version: '2.13.0', cuda }).root,
        gpus,
      })('auto');
      expect(choice).toMatchObject({ name: 'torch', device });
      if (hint === undefined) expect(choice.hint).toBeUndefined();
      else expect(choice.hint).toContain(hint);
    },
  );
});
