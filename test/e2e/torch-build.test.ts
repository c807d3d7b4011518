import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { loadBridge } from '../../src/backends/torch/bridge.ts';
import { packageOf } from '../../src/setup/python.ts';
import { torchRecipe } from '../../src/setup/torch.ts';
import { missingCompiler, python } from '../rig/python.ts';
import { because } from '../rig/skipped.ts';

const { signal } = new AbortController();
const found = await packageOf(python, torchRecipe, signal);
const missing = found.ok ? missingCompiler() : found.error.message;
const newOutput = () => join(mkdtempSync(join(tmpdir(), 'torch-')), 'bridge.node');

/** A folder with some of a PyTorch's files. */
function torchFolder(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'torch-'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

test.skipIf(missing !== undefined)(`the bridge compiles and calls ATen${because(missing)}`, async () => {
  if (!found.ok) throw new Error(found.error.message);
  const output = newOutput();
  const job = { package: found.value, output, compiler: 'g++', modules: undefined, signal };
  expect(await torchRecipe.compile(job)).toEqual({ ok: true, value: undefined });
  expect(readdirSync(dirname(output))).toEqual(['bridge.node']);
  const bridge = loadBridge(output);
  expect(bridge.version).toBe(found.value.version.replace(/\+.*/, ''));
  const x = bridge.fromHost(Float32Array.of(1, 2, 3, 4), [2, 2], 'cpu');
  const square = bridge.call(bridge.op('aten::mm', ''), x, x) as typeof x;
  expect([...bridge.toHost(square)]).toEqual([7, 10, 15, 22]);
  expect(bridge.info(square)).toEqual([6, 2, 2]);
  expect(bridge.count()).toBe(2);
  bridge.free(square);
  expect(bridge.count()).toBe(1);
  expect(() => bridge.toHost(square)).toThrow(/disposed of or never made/);
  expect(bridge.op('aten::no_such_operator', '')).toBe(-1);
});

test.each([
  { name: 'of a wheel', files: { 'version.py': "__version__ = '2.9.1+cpu'\n" }, version: '2.9.1+cpu', cuda: false },
  {
    name: 'of a libtorch archive',
    files: { 'build-version': '2.10.0\n', 'lib/libtorch_cuda.so': '' },
    version: '2.10.0',
    cuda: true,
  },
])('a PyTorch is known by the files $name', async ({ files, version, cuda }) => {
  const folder = torchFolder({ 'include/ATen/ATen.h': '', 'lib/libc10.so': '', ...files });
  expect(await torchRecipe.inspect(folder)).toEqual({
    ok: true,
    value: { folder, version, cuda, library: join(folder, 'lib/libtorch_cpu.so') },
  });
});

test.each([
  { name: 'no headers', files: {}, says: 'it has no include/ATen' },
  { name: 'no version', files: { 'include/ATen/ATen.h': '', 'lib/x': '' }, says: 'which version it is' },
  {
    name: 'an old one',
    files: { 'include/ATen/ATen.h': '', 'lib/x': '', 'version.py': "__version__ = '2.4.1'" },
    says: 'it is version 2.4.1, and 2.5 is the oldest that will do',
  },
])('a folder without a PyTorch to link against: $name', async ({ files, says }) => {
  expect(await torchRecipe.inspect(torchFolder(files))).toMatchObject({
    ok: false,
    error: { code: 'package-unusable', message: expect.stringContaining(says) },
  });
});

test('what a compiler says of a PyTorch without its headers is passed on', async () => {
  const folder = torchFolder({});
  const job = {
    package: { folder, version: '2.9.0', cuda: false, library: join(folder, 'lib/libtorch_cpu.so') },
    output: newOutput(),
    modules: undefined,
    signal,
  };
  expect(await torchRecipe.compile({ ...job, compiler: 'no-such-compiler' })).toMatchObject({
    ok: false,
    error: { code: 'bridge-not-compiled', message: expect.stringContaining('ENOENT') },
  });
  if (spawnSync('g++', ['--version']).status === 0)
    expect(await torchRecipe.compile({ ...job, compiler: 'g++' })).toMatchObject({
      ok: false,
      error: { code: 'bridge-not-compiled', message: expect.stringContaining('fatal error') },
    });
});
