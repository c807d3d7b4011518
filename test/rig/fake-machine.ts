import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Project, type CliResult } from './project.ts';

/**
 * A machine on which nothing is installed but what a test puts into its `bin/`: shell scripts that stand in for Python,
 * pip,
 * the compiler and npm, and note each call. The command line is the real one.
 */
export class FakeMachine {
  readonly folder = mkdtempSync(join(tmpdir(), 'machine-'));
  readonly root = join(this.folder, 'backends');
  readonly project = new Project({});

  /** Put a script on the PATH; it notes its arguments before it does what `body` says. */
  install(name: string, body: string): this {
    const path = join(this.folder, 'bin', name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `#!/bin/sh\nPATH=/usr/bin:/bin\necho "${name} $*" >> ${this.folder}/calls\n${body}\n`);
    chmodSync(path, 0o755);
    return this;
  }

  /** A Python of some version: it makes environments that are copies of itself, and pip in them runs `pip`. */
  python(options: { version?: string; venv?: boolean; pip?: string } = {}): this {
    const { version = '3.11', venv = true, pip = installTensorflow } = options;
    return this.install(
      'python3',
      `here=$(cd "$(dirname "$0")/.." && pwd)
case "$1 $2" in
  "-c "*) folder=null; [ -d "$here/site/tensorflow" ] && folder="\\"$here/site/tensorflow\\""
    echo "{\\"executable\\": \\"$0\\", \\"version\\": [${version.replace('.', ', ')}], \\"venv\\": ${venv}, \\"folder\\": $folder}" ;;
  "-m venv") mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip") ${pip} ;;
  *) exit 64 ;;
esac`,
    );
  }

  /** A compiler that writes what it is asked for, though no machine could load it. */
  compiler(): this {
    return this.install(
      'g++',
      `case "$1" in -dumpfullversion) echo 12.2.0; exit ;; esac
while [ $# -gt 1 ]; do if [ "$1" = -o ]; then echo "not a library" > "$2"; fi; shift; done`,
    );
  }

  /** The npm package, as if it had been fetched. */
  modules(): this {
    mkdirSync(join(this.root, 'tensorflow/npm/@tensorflow/tfjs-node-gpu-4.22.0'), { recursive: true });
    return this;
  }

  start(...args: string[]): ReturnType<Project['start']> {
    return this.project.start(['setup', ...args], this.env);
  }

  setup(...args: string[]): Promise<CliResult> {
    return this.start(...args).ended;
  }

  get env(): Record<string, string> {
    return { PATH: join(this.folder, 'bin'), RUN_PIPELINE_BACKENDS: this.root, CUDA_VISIBLE_DEVICES: '', CXX: 'g++' };
  }

  /** Every call of a stand-in so far. */
  calls(name: string): string[] {
    return existsSync(join(this.folder, 'calls'))
      ? readFileSync(join(this.folder, 'calls'), 'utf8')
          .split('\n')
          .filter((line) => line.startsWith(`${name} `))
      : [];
  }
}

/** What pip leaves, as far as setup looks at it. */
export const installTensorflow = `mkdir -p "$here/site/tensorflow/include" "$here/site/tensorflow_cpu-2.21.0.dist-info"
    for name in libtensorflow_cc.so.2 libtensorflow_framework.so.2; do echo > "$here/site/tensorflow/$name"; done`;
