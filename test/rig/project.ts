import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export const root = join(import.meta.dirname, '../..');
const bin = join(root, 'bin/run-pipeline.js');
export const samples = join(root, 'samples');

export interface CliResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A temporary folder with files, in which the real command line is run. */
export class Project {
  readonly folder = mkdtempSync(join(tmpdir(), 'project-'));

  constructor(files: Readonly<Record<string, string>>) {
    this.write('package.json', '{ "type": "module" }');
    for (const [path, text] of Object.entries(files)) this.write(path, text);
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(path: string, content: string | Uint8Array): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  /** Start the command line and leave it running; `events` are those it has told with `--json` so far. */
  start(
    args: readonly string[],
    env: Record<string, string> = {},
  ): { child: ChildProcess; ended: Promise<CliResult>; events: () => AnyEvent[] } {
    const child = spawn(process.execPath, [bin, ...args], {
      cwd: this.folder,
      env: { ...process.env, RUN_PIPELINE_BACKENDS: this.path('.backends'), NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk) => {
      stdout += String(chunk);
    });
    child.stderr.on('data', (chunk) => {
      stderr += String(chunk);
    });
    return {
      child,
      ended: new Promise((resolve) => {
        child.on('close', (code, signal) => {
          resolve({ code, signal, stdout, stderr });
        });
      }),
      events: () => eventsOf({ stdout }),
    };
  }

  run(...args: string[]): Promise<CliResult> {
    return this.start(args).ended;
  }

  /** Run to the end and tell how each stage fared; throws with the output when the run failed. */
  async states(...args: string[]): Promise<Record<string, string>> {
    const result = await this.run(...args, '--json');
    if (result.code !== 0) throw new Error(`exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return statesOf(result);
  }

  /** Digest of every stage's outputs, from the newest run's events. */
  async digests(...args: string[]): Promise<Record<string, string>> {
    const result = await this.run(...args, '--json');
    if (result.code !== 0) throw new Error(`exit ${result.code}\n${result.stdout}\n${result.stderr}`);
    return digestsOf(result);
  }
}

export interface AnyEvent {
  readonly type: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly text?: string;
  readonly round?: number;
  readonly reason?: string;
  readonly stage?: string;
  readonly action?: string;
  readonly actions?: number;
  readonly cached?: number;
  readonly durationMs?: number;
  readonly pid?: number;
  readonly gpus?: readonly number[];
  readonly diagnostic?: { readonly code: string; readonly message: string };
  readonly state?: string;
  readonly outputs?: Record<string, { digest: string }>;
  readonly metrics?: Record<string, number>;
}

export function eventsOf({ stdout }: Pick<CliResult, 'stdout'>): AnyEvent[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{') && line.endsWith('}'))
    .map((line) => JSON.parse(line) as AnyEvent);
}

/** Metrics of every stage that ended. */
export function metricsOf(result: Pick<CliResult, 'stdout'>): Record<string, Record<string, number>> {
  return Object.fromEntries(
    eventsOf(result)
      .filter(({ type }) => type === 'stage-end')
      .map(({ stage, metrics = {} }) => [stage!, metrics]),
  );
}

export function statesOf(result: Pick<CliResult, 'stdout'>): Record<string, string> {
  return Object.fromEntries(
    eventsOf(result)
      .filter((event) => event.type === 'stage-end')
      .map((event) => [event.stage, event.state ?? '']),
  );
}

/** Digests of the outputs of every stage that ended well. */
export function digestsOf(result: Pick<CliResult, 'stdout'>): Record<string, string> {
  return Object.fromEntries(
    eventsOf(result)
      .filter(({ state }) => state === 'ran' || state === 'cached')
      .map(({ stage, outputs = {} }) => [
        stage,
        Object.values(outputs)
          .map(({ digest }) => digest)
          .join(' '),
      ]),
  );
}
