import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bridgeSources, installationFile, stampOf, type Installation } from '../../src/backends/installation.ts';
import { createBackendResolver } from '../../src/backends/resolve.ts';
import { Project } from '../rig/project.ts';

/** A folder of backends with TensorFlow in it, as setup leaves it, but for what the files hold. */
function backends(more: Partial<Installation> = {}): { root: string; library: string; addon: string } {
  const root = mkdtempSync(join(tmpdir(), 'backends-'));
  const [library, addon, modules] = ['lib/libtensorflow_cc.so.2', 'tensorflow/addons/1/tfjs_binding.node', 'tensorflow/npm/package'].map((path) => join(root, path)) as [string, string, string];
  for (const path of [library, addon, modules]) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, 'x');
  }
  const installation: Installation = { v: 1, backend: 'tensorflow', version: '2.21.0', addon, modules, cuda: true, library: stampOf(library), sources: bridgeSources('tensorflow'), folder: join(root, 'lib'), ...more };
  writeFileSync(installationFile(root, 'tensorflow'), JSON.stringify(installation));
  return { root, library, addon };
}

const nothing = (): string => mkdtempSync(join(tmpdir(), 'no-backends-'));

describe('auto', () => {
  it('is wasm where nothing is set up, and says what would be faster', () => {
    expect(createBackendResolver({ root: nothing(), gpus: 2 })('auto')).toEqual({
      name: 'wasm', version: expect.stringMatching(/^4\./), device: 'cpu', reason: 'torch is not set up, tensorflow is not set up', hint: expect.stringContaining('npx run-pipeline setup torch'),
    });
  });

  it('is what is set up', () => {
    const { root, addon } = backends();
    expect(createBackendResolver({ root, gpus: 0 })('auto')).toMatchObject({ name: 'tensorflow', version: '2.21.0', device: 'cpu', native: { addon }, reason: 'the fastest that is set up' });
  });

  it.each<{ name: string; break: (made: ReturnType<typeof backends>) => void; why: string }>([
    { name: 'an addon that is gone', break: ({ addon }) => { rmSync(addon); }, why: 'is gone' },
    { name: 'a library that is gone', break: ({ library }) => { rmSync(library); }, why: 'is gone' },
    { name: 'a library that was upgraded', break: ({ library }) => { utimesSync(library, 1, 1); }, why: 'has changed since' },
    { name: 'a record that is torn', break: ({ root }) => { writeFileSync(installationFile(root, 'tensorflow'), '{ "v": 1, "back'); }, why: 'another version of run-pipeline' },
  ])('passes over $name, and says why', ({ break: damage, why }) => {
    const made = backends();
    damage(made);
    const resolve = createBackendResolver({ root: made.root, gpus: 0 });
    expect(resolve('auto')).toMatchObject({ name: 'wasm', reason: expect.stringContaining(why) });
    expect(() => resolve('tensorflow')).toThrow(why);
  });

  it('passes over an addon that was compiled from other sources', () => {
    const { root } = backends({ sources: 'of last year' });
    expect(createBackendResolver({ root, gpus: 0 })('auto')).toMatchObject({ name: 'wasm', reason: expect.stringContaining('another version of its bridge') });
  });
});

describe('the device', () => {
  it.each([
    { cuda: true, machine: 1, stage: undefined, device: 'cuda' },
    { cuda: true, machine: 1, stage: 2, device: 'cuda' },
    { cuda: true, machine: 1, stage: 0, device: 'cpu' },
    { cuda: true, machine: 0, stage: 1, device: 'cpu' },
    { cuda: false, machine: 1, stage: 1, device: 'cpu' },
  ])('$device: libraries with CUDA $cuda, GPUs of the machine $machine, of the stage $stage', ({ cuda, machine, stage, device }) => {
    expect(createBackendResolver({ root: backends({ cuda }).root, gpus: machine })('tensorflow', stage).device).toBe(device);
  });
});

/** A stage of one's own with a `backend`, which says what it was given. */
const stage = `import { defineStage } from 'run-pipeline';
export default defineStage({
  description: 'Say the backend.', inputs: {}, outputs: { files: { contract: 'files', description: 'it' } },
  config: { type: 'object', additionalProperties: false, properties: { backend: { type: 'string', default: 'auto' } } },
  async run(context) {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(context.folder('files').path + '/backend.json', JSON.stringify(context.backend));
  },
});
`;
const pipeline = (backend: string) => `name: p\n${backend}stages:\n  s: { uses: ./s.ts }\n`;

describe('a run', () => {
  const at = (root: string) => ({ RUN_PIPELINE_BACKENDS: root, CUDA_VISIBLE_DEVICES: '' });

  it('says in its first lines what computes and why, and what would be faster', async () => {
    const project = new Project({ 'p.yaml': pipeline(''), 's.ts': stage });
    const { stdout } = await project.start(['p.yaml'], at(nothing())).ended;
    expect(stdout.split('\n')[1]).toMatch(/^backend wasm 4\.\S+ on cpu: torch is not set up, tensorflow is not set up \(`npx run-pipeline setup torch` makes training many times faster\)$/);
  });

  it('tells workers what the plan chose, and runs again when that changes', async () => {
    const { root, addon } = backends();
    const project = new Project({ 'p.yaml': pipeline(''), 's.ts': stage });
    const run = async (where: string, ...args: string[]) => (await project.start(['p.yaml', ...args], at(where)).ended).stdout;
    expect(await run(root)).toMatch(/backend tensorflow 2\.21\.0 on cpu: the fastest that is set up\n/);
    expect(JSON.parse(project.read('outputs/p/s/backend.json'))).toMatchObject({ name: 'tensorflow', native: { addon } });
    expect(await run(root)).toMatch(/1 cached, 0 ran/);
    expect(await run(root, '--set', 'backend=tensorflow')).toMatch(/1 cached, 0 ran/);
    expect(await run(root, '--set', 'backend=wasm')).toMatch(/s: to run \(backend\)/);
    expect(await run(nothing())).toMatch(/1 cached, 0 ran/);
    expect((await project.start(['explain', 'p.yaml'], at(backends({ version: '2.22.0' }).root)).ended).stdout).toMatch(/backend: wasm 4\.\S+ on cpu → tensorflow 2\.22\.0 on cpu/);
  });

  it.each(['torch', 'tensorflow'])('refuses %s where it is not set up, before anything runs', async (name) => {
    const project = new Project({ 'p.yaml': pipeline(`backend: ${name}\n`), 's.ts': stage });
    const { code, stderr } = await project.start(['p.yaml'], at(nothing())).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('[backend-missing]');
    expect(stderr).toContain(`run \`npx run-pipeline setup ${name}\``);
    expect(stderr).toContain('p.yaml:2:10');
  });
});

it('doctor says which backend a run would use, and which could be set up', async () => {
  const { stdout, code } = await new Project({}).start(['doctor'], { RUN_PIPELINE_BACKENDS: nothing() }).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/ok {7}backend wasm 4\.\S+ on cpu: /);
  expect(stdout).toContain('backend torch is not set up: npx run-pipeline setup torch');
});
