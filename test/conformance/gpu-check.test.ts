import { spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { missingModules, python } from '../rig/python.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const driver = join(project, 'bench/gpu/check.py');
const compiler = process.env.CXX ?? 'g++';
const missing =
  missingModules('torch', 'transformers', 'safetensors') ??
  (spawnSync(compiler, ['--version']).status === 0 ? undefined : `there is no ${compiler}`);

interface Found {
  readonly steps: {
    readonly name: string;
    readonly outcome: string;
    readonly reason?: string;
    readonly rows: readonly { readonly name: string; readonly ok: boolean; readonly text: string }[];
  }[];
}

const folder = (): string => mkdtempSync(join(tmpdir(), 'gpu-check-test-'));
const foundIn = (path: string): Found => JSON.parse(readFileSync(join(path, 'gpu-check.json'), 'utf8')) as Found;
const outcomes = ({ steps }: Found): Record<string, string> =>
  Object.fromEntries(steps.map(({ name, outcome }) => [name, outcome]));

test.skipIf(missing !== undefined)(
  'the archive has all that the checks need: unpacked elsewhere, without Node and without a network, they pass on a CPU' +
    (missing === undefined ? '' : ` (skipped: ${missing})`),
  () => {
    const work = folder();
    const archive = join(work, 'gpu-check.tar.xz');
    const packed = spawnSync(process.execPath, [join(project, 'bench/gpu/pack.mjs'), archive], { encoding: 'utf8' });
    expect(packed.stderr + packed.stdout).toMatch(/, [\d.]+ MiB\. There: /);
    expect(packed.status).toBe(0);
    copyFileSync(driver, join(work, 'check.py'));

    const path = pathWithout(['node', 'nodejs', 'npm', 'npx', 'corepack']);
    expect(spawnSync('node', ['--version'], { env: { PATH: path } }).error).toMatchObject({ code: 'ENOENT' });
    const offline = ['--net', '--map-root-user'];
    const command = [python, 'check.py', 'gpu-check.tar.xz', '--device', 'cpu', '--out', 'found'];
    const isolated =
      spawnSync('unshare', [...offline, 'true']).status === 0 ? ['unshare', ...offline, ...command] : command;
    const { status, stdout, stderr } = spawnSync(isolated[0]!, isolated.slice(1), {
      cwd: work,
      encoding: 'utf8',
      env: {
        PATH: path,
        HOME: work,
        TMPDIR: tmpdir(),
        https_proxy: 'http://127.0.0.1:9',
        http_proxy: 'http://127.0.0.1:9',
      },
    });

    const log = existsSync(join(work, 'found/gpu-check.log'))
      ? readFileSync(join(work, 'found/gpu-check.log'), 'utf8')
      : '';
    expect(outcomes(foundIn(join(work, 'found'))), `${stdout}${stderr}${log}`).toEqual(
      Object.fromEntries(
        ['build', 'ops', 'transformers', 'speed tiny', 'repeat', 'resume', 'speed tiny, masked'].map((name) => [
          name,
          'passed',
        ]),
      ),
    );
    expect(status).toBe(0);
    const rows = foundIn(join(work, 'found')).steps.flatMap(({ rows: of }) => of);
    expect(rows.map(({ name }) => name)).toEqual([
      'bridge',
      'first step',
      'ops in fp32',
      'ops in fp32, ATen alone',
      'ops in bf16',
      'ops in bf16, ATen alone',
      'definitions',
      'coverage',
      "tfjs's kernels",
      'memory',
      ...['padded', 'packed'].flatMap((how) => ['fp32', 'bf16'].map((type) => `narrow, 2 layers, ${how}, ${type}`)),
      'tiny, 32x128',
      '20 steps twice, bf16',
      '20 steps twice, fp32',
      'corpora',
      'undisturbed',
      'killed and resumed',
      'tiny, 32x128, both heads on masked tokens',
    ]);
    for (const { text } of rows) expect(stdout).toContain(text.slice(0, 100));
  },
  1_200_000,
);

// The driver by itself, on an archive whose Node is a shell script that says what a step would.
describe.skipIf(spawnSync(python, ['--version']).status !== 0)('check.py', () => {
  test('a step that fails or hangs does not stop those after it, and one for which too little time is left is skipped', () => {
    const work = fakeArchive({
      build: row('bridge', true) + 'exec sleep 30',
      ops: row('all', true),
      transformers: row('base', true) + row('tiny', false),
      speed: 'echo "Error: out of memory"; echo "Node.js v20"; exit 3',
      repeat: 'true',
      resume: 'exec sleep 30',
    });
    // A fiftieth of the whole time on a GPU. Who hangs gets what others do not need, and not what is kept for them.
    const { status, stdout } = start(work, '--seconds', '11.4');
    expect(foundIn(work).steps).toMatchObject([
      { name: 'build', outcome: 'timed out', rows: [{ name: 'bridge' }] },
      { name: 'ops', outcome: 'passed', rows: [{ name: 'all', ok: true }] },
      { name: 'transformers', outcome: 'failed', reason: 'tiny' },
      { name: 'speed tiny', outcome: 'failed', reason: 'exit code 3: Error: out of memory' },
      { name: 'repeat', outcome: 'failed', reason: 'it found nothing', rows: [] },
      { name: 'resume', outcome: 'timed out' },
      { name: 'speed tiny, masked', outcome: 'skipped', reason: expect.stringMatching(/^\d s are left, it needs 1$/) },
    ]);
    expect(stdout).toMatch(/^build +timed out/m);
    expect(stdout).toMatch(/^ +FAIL tiny: said/m);
    expect(status).toBe(1);
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('%s loses only what was not found yet', async (signal) => {
    const work = fakeArchive({ build: row('bridge', true), ops: row('fp32', true) + 'exec sleep 20' });
    const child = spawn(python, ['check.py', 'gpu-check.tar.gz', '--device', 'cpu', '--out', '.'], { cwd: work });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    const ended = new Promise<number | null>((resolve) => {
      child.once('close', (code) => {
        resolve(code);
      });
    });
    while (!existsSync(join(work, 'gpu-check.json')) || foundIn(work).steps[1]?.rows.length !== 1) await sleep(20);
    child.kill(signal);
    expect(await ended).toBe(signal === 'SIGTERM' ? 143 : null);
    expect(foundIn(work).steps.slice(0, 3)).toMatchObject([
      { name: 'build', outcome: 'passed', rows: [{ name: 'bridge', ok: true }] },
      { name: 'ops', outcome: signal === 'SIGTERM' ? 'interrupted' : 'running', rows: [{ name: 'fp32', ok: true }] },
      { name: 'transformers', outcome: 'not run' },
    ]);
    if (signal === 'SIGTERM') {
      expect(stdout).toMatch(/^ops +interrupted/m);
      expect(stdout).toMatch(/^transformers +not run/m);
    }
  });

  function row(name: string, ok: boolean): string {
    return `echo '${JSON.stringify({ row: { name, ok, text: 'said' } })}'\n`;
  }

  /** A folder with check.py and an archive; what its steps do, by the names of their files. */
  function fakeArchive(scripts: Readonly<Record<string, string>>): string {
    const work = folder();
    mkdirSync(join(work, 'gpu-check'));
    const cases = Object.entries(scripts).map(([name, script]) => `*/${name}.mjs)\n${script}\n;;\n`);
    const node = join(work, 'gpu-check/node');
    writeFileSync(node, `#!/bin/sh\ncase "$1" in\n${cases.join('')}esac\n`);
    chmodSync(node, 0o755);
    expect(spawnSync('tar', ['-czf', 'gpu-check.tar.gz', 'gpu-check'], { cwd: work }).status).toBe(0);
    copyFileSync(driver, join(work, 'check.py'));
    return work;
  }

  function start(work: string, ...more: string[]): { status: number | null; stdout: string } {
    return spawnSync(python, ['check.py', 'gpu-check.tar.gz', '--device', 'cpu', '--out', '.', ...more], {
      cwd: work,
      encoding: 'utf8',
    });
  }
});

/** A folder with links to every program but some. */
function pathWithout(names: readonly string[]): string {
  const bin = folder();
  for (const from of (process.env.PATH ?? '').split(delimiter).filter((each) => existsSync(each)))
    for (const name of readdirSync(from))
      if (!names.includes(name) && !existsSync(join(bin, name)))
        try {
          symlinkSync(join(from, name), join(bin, name));
        } catch {
          // A link that leads nowhere is there, and yet does not exist.
        }
  return bin;
}
