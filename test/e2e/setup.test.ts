import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { installCommand } from '../../src/setup/distribution.ts';
import { FakeMachine, installTensorflow } from '../rig/fake-machine.ts';

const noNetwork =
  'echo "WARNING: Retrying after NewConnectionError: Failed to establish a new connection: Name or service not ' +
  'known" >&2; echo "ERROR: No matching distribution found for tensorflow-cpu" >&2; exit 1';

/** What stands in setup's way, and what it says about it. */
const refusals: { name: string; machine: FakeMachine; args?: string[]; code: string; says: string[] }[] = [
  {
    name: 'no compiler',
    machine: new FakeMachine().python(),
    code: 'compiler-missing',
    says: ['The C++ compiler g++ was not found', 'CXX'],
  },
  { name: 'no Python', machine: new FakeMachine().compiler(), code: 'python-missing', says: ['python3 was not found'] },
  {
    name: 'an old Python',
    machine: new FakeMachine().compiler().python({ version: '3.8' }),
    code: 'python-unfit',
    says: ['3.10 to 3.13', 'python3 is 3.8'],
  },
  {
    name: 'a Python too new',
    machine: new FakeMachine().compiler().python({ version: '3.15' }),
    code: 'python-unfit',
    says: ['python3 is 3.15'],
  },
  {
    name: 'no venv',
    machine: new FakeMachine().compiler().python({ venv: false }),
    code: 'python-venv-missing',
    says: ['ensurepip', 'run setup again'],
  },
  {
    name: 'no network for pip',
    machine: new FakeMachine().compiler().python({ pip: noNetwork }),
    code: 'no-network',
    says: ['Name or service not known', 'PIP_INDEX_URL'],
  },
  {
    name: 'no space',
    machine: new FakeMachine()
      .compiler()
      .python({ pip: 'echo "OSError: [Errno 28] No space left on device" >&2; exit 1' }),
    code: 'no-space',
    says: ['tensorflow-cpu==2.21.0'],
  },
  {
    name: 'a package that pip refuses',
    machine: new FakeMachine().compiler().python({ pip: 'echo "ERROR: hash mismatch" >&2; exit 1' }),
    code: 'package-not-installed',
    says: ['hash mismatch'],
  },
  { name: 'no npm', machine: new FakeMachine().compiler().python(), code: 'npm-missing', says: ['npm was not found'] },
  {
    name: 'no network for npm',
    machine: new FakeMachine().compiler().python().install('npm', 'echo "npm error ENOTFOUND" >&2; exit 1'),
    code: 'no-network',
    says: ['npm error ENOTFOUND'],
  },
  {
    name: 'another package than ours',
    machine: new FakeMachine()
      .compiler()
      .python()
      .install('npm', 'for last; do :; done; echo junk > "$last/p.tgz"; echo p.tgz'),
    code: 'package-damaged',
    says: ['SHA-512'],
  },
  {
    name: 'a compiler that fails',
    machine: new FakeMachine()
      .python()
      .modules()
      .install('g++', 'case "$1" in -dump*) echo 4.8 ;; *) echo "x.cc:1: error: no C++17" >&2; exit 1 ;; esac'),
    code: 'bridge-not-compiled',
    says: ['x.cc:1: error: no C++17'],
  },
  {
    name: 'a bridge that does not load',
    machine: new FakeMachine().compiler().python().modules(),
    code: 'self-check-failed',
    says: ['tensorflow 2.21.0', 'on cpu', '--force'],
  },
  {
    name: 'a Python without the package',
    machine: new FakeMachine().compiler().python(),
    args: ['--python', 'python3'],
    code: 'package-missing',
    says: ["-m pip install 'tensorflow-cpu==2.21.0'"],
  },
  {
    name: 'a --python that is none',
    machine: new FakeMachine().compiler(),
    args: ['--python', '/bin/ls'],
    code: 'python-missing',
    says: ['/bin/ls is not a working Python'],
  },
  {
    name: 'a folder without the library',
    machine: new FakeMachine().compiler(),
    args: ['--tensorflow-dir', '/usr'],
    code: 'package-unusable',
    says: ['/usr is not a TensorFlow folder', 'libtensorflow_cc.so.2'],
  },
];

describe('setup says one clear thing about', () => {
  it.each(refusals)('$name', async ({ machine, args = [], code, says }) => {
    const result = await machine.setup('tensorflow', ...args);
    const output = result.stdout + result.stderr;
    expect(result.code, output).toBe(1);
    for (const text of [`[${code}]`, ...says]) expect(output).toContain(text);
    expect(output).not.toMatch(/\n\s+at .*\(/);
    expect(existsSync(join(machine.root, 'tensorflow/installation.json'))).toBe(false);
    // Nothing half done is left beside what the next call goes on from.
    expect(readdirSync(join(machine.root, 'tensorflow')).filter((name) => name.startsWith('draft-'))).toEqual([]);
  });

  it.each([
    { args: ['pytorch'], says: 'torch, tensorflow' },
    { args: ['torch', '--tensorflow-dir', '/x'], says: 'setup torch takes --torch-dir' },
    { args: ['tensorflow', '--tensorflow-dir', '/x', '--python', 'y'], says: 'cannot be used together' },
  ])('wrong arguments: $args', async ({ args, says }) => {
    const result = await new FakeMachine().setup(...args);
    expect(result.code).toBe(2);
    expect(result.stderr).toContain(says);
  });
});

describe('setup', () => {
  it('looks for a compiler before it downloads anything', async () => {
    const machine = new FakeMachine().python();
    await machine.setup('tensorflow');
    expect(machine.calls('python3')).toEqual([]);
    await machine.compiler().setup('tensorflow');
    expect(machine.calls('python3')).toContainEqual(expect.stringContaining('-m pip install'));
  });

  it('uses the package of the Python at hand rather than installing one', async () => {
    const machine = new FakeMachine().compiler().python().modules();
    execFileSync('/bin/sh', ['-c', `here=${machine.folder}\n${installTensorflow}`]);
    const result = await machine.setup('tensorflow');
    expect(result.stdout).toContain(`TensorFlow 2.21.0 in ${machine.folder}/site/tensorflow`);
    expect(result.stdout).not.toContain('installing');
  });

  it('goes on after a kill in the middle of pip, in a new environment, and never trusts the half one', async () => {
    const machine = new FakeMachine()
      .compiler()
      .modules()
      .python({ pip: `${installTensorflow}; echo started > ${'$here'}/../../../pip-started; sleep 30` });
    const { child, ended } = machine.start('tensorflow');
    while (!existsSync(join(machine.folder, 'pip-started'))) await sleep(20);
    child.kill('SIGKILL');
    await ended;
    const [half = ''] = readdirSync(join(machine.root, 'tensorflow')).filter((name) => name.startsWith('venv-'));
    machine.python();
    const result = await machine.setup('tensorflow');
    expect(result.stdout).toContain('installing tensorflow-cpu==2.21.0');
    expect(result.stdout).not.toContain(half);
    expect(readdirSync(join(machine.root, 'tensorflow')).filter((name) => name.startsWith('venv-'))).toHaveLength(1);
  });

  it('does not repeat what is done: neither the installation nor the compilation', async () => {
    const machine = new FakeMachine().compiler().modules().python();
    const first = await machine.setup('tensorflow');
    expect(first.stdout).toContain('installing tensorflow-cpu==2.21.0');
    const second = await machine.setup('tensorflow');
    expect(second.stdout).not.toContain('installing');
    expect(second.stdout).toContain('already compiled');
    const third = await machine.setup('tensorflow', '--force');
    expect(third.stdout).toContain('installing tensorflow-cpu==2.21.0');
  });

  it('ends with 130 on Ctrl-C and takes pip along', async () => {
    const machine = new FakeMachine()
      .compiler()
      .modules()
      .python({ pip: `echo $$ > $here/../../../pip-started; exec sleep 30` });
    const { child, ended } = machine.start('tensorflow');
    while (!existsSync(join(machine.folder, 'pip-started'))) await sleep(20);
    child.kill('SIGINT');
    const result = await ended;
    expect(result.code).toBe(130);
    expect(result.stderr).toContain('Interrupted');
    const pip = Number(readFileSync(join(machine.folder, 'pip-started'), 'utf8'));
    expect(() => process.kill(pip, 0)).toThrow('ESRCH');
  });
});

it.each([
  ['ID=debian\n', 'apt-get install g++'],
  ['ID=linuxmint\nID_LIKE="ubuntu debian"\n', 'apt-get install g++'],
  ['ID="rocky"\nID_LIKE="rhel centos fedora"\n', 'dnf install gcc-c++'],
  ['ID=opensuse-leap\n', 'zypper install gcc-c++'],
  ['ID=arch\n', 'pacman -S gcc'],
  ['ID=alpine\n', 'apk add g++'],
  ['ID=plan9\n', 'apt-get install g++` or `dnf install gcc-c++'],
])('names the command of the distribution: %j', (osRelease, command) => {
  expect(installCommand('compiler', osRelease)).toBe(command);
});
