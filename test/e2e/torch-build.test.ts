import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadAddon } from '../../src/backends/torch/addon.ts';
import { buildAddon, findTorch } from '../../src/backends/torch/build.ts';
import { missingCompiler, missingModules, python } from '../rig/python.ts';
import { because } from '../rig/skipped.ts';

const found = await findTorch({ python });
const missing = missingModules('torch') ?? missingCompiler();

test.skipIf(missing !== undefined)(`the bridge compiles and calls ATen${because(missing)}`, async () => {
  if (!found.ok) throw new Error(found.error.message);
  const output = join(mkdtempSync(join(tmpdir(), 'torch-')), 'addon.node');
  expect(await buildAddon({ torch: found.value, output, compiler: 'g++' })).toEqual({ ok: true, value: output });
  const addon = loadAddon(output);
  expect(addon.version).toBe(found.value.version.replace(/\+.*/, ''));
  const x = addon.fromHost(Float32Array.of(1, 2, 3, 4), [2, 2], 'cpu');
  const square = addon.call(addon.op('aten::mm', ''), x, x) as typeof x;
  expect([...addon.toHost(square)]).toEqual([7, 10, 15, 22]);
  expect(addon.info(square)).toEqual([6, 2, 2]);
  expect(addon.count()).toBe(2);
  addon.free(square);
  expect(addon.count()).toBe(1);
  expect(() => addon.toHost(square)).toThrow(/disposed of or never made/);
  expect(addon.op('aten::no_such_operator', '')).toBe(-1);
});

test('what is missing is said with what to do', async () => {
  expect(await findTorch({ python: '/no/such/python' })).toMatchObject({
    ok: false,
    error: { code: 'python-not-found' },
  });
  expect(await findTorch({ folder: tmpdir() })).toMatchObject({
    ok: false,
    error: { code: 'torch-not-found', help: expect.stringContaining('include/ATen') },
  });
  const torch = { folder: tmpdir(), version: '2.9.0', cxx11Abi: true, cuda: false };
  const output = join(mkdtempSync(join(tmpdir(), 'torch-')), 'addon.node');
  expect(await buildAddon({ torch, output, compiler: 'no-such-compiler' })).toMatchObject({
    ok: false,
    error: { code: 'compiler-not-found' },
  });
  if (missing === undefined)
    expect(await buildAddon({ torch, output, compiler: 'g++' })).toMatchObject({
      ok: false,
      error: { code: 'addon-build-failed', message: expect.stringContaining('fatal error') },
    });
});
