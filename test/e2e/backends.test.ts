import { describe, expect, it } from 'vitest';
import { madeBackends, noBackends } from '../rig/made-backends.ts';
import { Project } from '../rig/project.ts';

/** A stage of one's own with a `backend`, which says what it was given. */
const stage = `import { defineStage } from 'run-pipeline';
export default defineStage({
  description: 'Say the backend.', inputs: {}, outputs: { files: { contract: 'files', description: 'it' } },
  config: { type: 'object', additionalProperties: false, properties: { backend: { type: 'string', default: 'auto', 'x-inherits': 'backend' } } },
  async run(context) {
    const { writeFileSync } = await import('node:fs');
    writeFileSync(context.outputFolder('files').path + '/backend.json', JSON.stringify(context.backend));
  },
});
`;
const pipeline = (backend: string) => `name: p\n${backend}stages:\n  s: { uses: ./s.ts }\n`;

describe('a run', () => {
  const at = (root: string) => ({ RUN_PIPELINE_BACKENDS: root, CUDA_VISIBLE_DEVICES: '' });

  it('says in its first lines what computes and why, and what would be faster', async () => {
    const project = new Project({ 'p.yaml': pipeline(''), 's.ts': stage });
    const { stdout } = await project.start(['p.yaml'], at(noBackends())).ended;
    expect(stdout.split('\n')[1]).toMatch(
      /^backend wasm 4\.\S+ on cpu: torch is not set up, tensorflow is not set up \(`npx run-pipeline setup torch` makes training many times faster\)$/,
    );
  });

  it('tells workers what the plan chose, and runs again when that changes', async () => {
    const { root, bridge } = madeBackends();
    const project = new Project({ 'p.yaml': pipeline(''), 's.ts': stage });
    const run = async (where: string, ...args: string[]) =>
      (await project.start(['p.yaml', ...args], at(where)).ended).stdout;
    expect(await run(root)).toMatch(
      /backend tensorflow 2\.21\.0 on cpu: the fastest that is set up \(it has CUDA, but this machine shows no GPU\)\n/,
    );
    expect(JSON.parse(project.read('outputs/p/s/backend.json'))).toMatchObject({
      name: 'tensorflow',
      native: { bridge },
    });
    expect(await run(root)).toMatch(/1 cached, 0 ran/);
    expect(await run(root, '--set', 'backend=tensorflow')).toMatch(/1 cached, 0 ran/);
    expect(await run(root, '--set', 'backend=wasm')).toMatch(/s: stale: backend changed, bridge changed/);
    expect(await run(noBackends())).toMatch(/1 cached, 0 ran/);
    expect(
      (await project.start(['explain', 'p.yaml'], at(madeBackends({ version: '2.22.0' }).root)).ended).stdout,
    ).toMatch(/backend: wasm 4\.\S+ on cpu → tensorflow 2\.22\.0 on cpu/);
  });

  it.each(['torch', 'tensorflow'])('refuses %s where it is not set up, before anything runs', async (name) => {
    const project = new Project({ 'p.yaml': pipeline(`backend: ${name}\n`), 's.ts': stage });
    const { code, stderr } = await project.start(['p.yaml'], at(noBackends())).ended;
    expect(code).toBe(2);
    expect(stderr).toContain('[backend-missing]');
    expect(stderr).toContain(`run \`npx run-pipeline setup ${name}\``);
    expect(stderr).toContain('p.yaml:2:10');
  });
});

it('refuses bf16 on a backend that computes in fp32 only, once and where it is written', async () => {
  const own = stage.replace(
    'properties: {',
    "properties: { precision: { type: 'string', default: 'fp32', 'x-precision': true },",
  );
  const written = 'name: p\nstages:\n  s: { uses: ./s.ts, with: { precision: bf16 } }\n';
  const { code, stderr } = await new Project({ 'p.yaml': written, 's.ts': own }).start(['p.yaml'], {
    RUN_PIPELINE_BACKENDS: noBackends(),
  }).ended;
  expect(code).toBe(2);
  expect(stderr.match(/\[precision-unsupported\]/g)).toHaveLength(1);
  expect(stderr).toContain('p.yaml:3:');
  expect(stderr).toContain('`npx run-pipeline setup torch`');
});

it('doctor says which backend a run would use, and which could be set up', async () => {
  const { stdout, code } = await new Project({}).start(['doctor'], { RUN_PIPELINE_BACKENDS: noBackends() }).ended;
  expect(code).toBe(0);
  expect(stdout).toMatch(/ok {7}backend wasm 4\.\S+ on cpu: /);
  expect(stdout).toContain('backend torch is not set up: npx run-pipeline setup torch');
});
