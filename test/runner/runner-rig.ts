import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Digest } from '../../src/core/artifact.ts';
import type { RunEvent } from '../../src/core/event.ts';
import type { Pipeline, StageNode } from '../../src/core/pipeline.ts';
import { divisionOf, type MapOf } from '../../src/core/stage.ts';
import { createLocalExecutor } from '../../src/executors/local.ts';
import { sha256 } from '../../src/core/digest.ts';
import { runPipeline, type RunOptions, type RunResult } from '../../src/runner/run-pipeline.ts';
import { createStore, type Store } from '../../src/store/store.ts';

const root = new URL('../../', import.meta.url).pathname;
export const contracts = join(root, 'schemas/contracts');
const built = join(root, 'node_modules/.cache/runner-rig');

/** The worker and a runner of pipelines in JSON, as plain JavaScript. */
export async function buildPrograms(): Promise<{ worker: string; runner: string }> {
  await build({
    entryPoints: {
      worker: join(root, 'src/worker/worker-main.ts'),
      runner: join(root, 'test/runner/runner-main.ts'),
    },
    outdir: join(built, String(process.pid)),
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  return {
    worker: join(built, String(process.pid), 'worker.mjs'),
    runner: join(built, String(process.pid), 'runner.mjs'),
  };
}

type NodeOptions = Partial<Omit<StageNode, 'type'>> & {
  readonly map?: MapOf;
  readonly outputs?: readonly string[];
  readonly many?: boolean;
};

/** A folder with fake stages, a store and a pipeline over them. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'runner-'));
  readonly store: Store = createStore(join(this.folder, 'store'));
  readonly stages: StageNode[] = [];
  private readonly worker: string;
  events: RunEvent[] = [];

  constructor(worker: string) {
    this.worker = worker;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(name: string, text: string): string {
    mkdirSync(this.path(name, '..'), { recursive: true });
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  /** Add a stage whose `run(context)` is `body`; its inputs and outputs are all of contract `documents`. */
  stage(id: string, body: string, options: NodeOptions = {}): void {
    const { map, outputs = ['documents'], ...node } = options;
    const text = `const row = (id, text) => ({ id, source: 's', snapshot: '1', url: '', title: '', text, lang: '', meta: '{}' });
import { readFileSync, writeFileSync, existsSync, appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
export default { async run(context) { ${body} } };\n`;
    const module = this.write(`stages/${sha256(text).slice(0, 16)}.mjs`, text);
    const port = { contract: 'documents', description: '' };
    const added: StageNode = {
      id,
      name: id.replace(/@.*/, ''),
      type: {
        type: id,
        description: '',
        inputs: Object.fromEntries(Object.keys(node.inputs ?? {}).map((name) => [name, port])),
        outputs: Object.fromEntries(outputs.map((name) => [name, port])),
        config: {},
        implementation: sha256(text) as Digest,
        module,
        ...(map === undefined ? {} : { map: divisionOf(map) }),
      },
      config: {},
      inputs: {},
      sources: {},
      retries: 0,
      resources: { cpus: 1, memory: 1, gpus: 0 },
      location: { file: 'p.yaml', line: 1, column: 1, length: 1 },
      ...node,
    };
    const index = this.stages.findIndex((stage) => stage.id === id);
    if (index < 0) this.stages.push(added);
    else this.stages[index] = added;
  }

  pipeline(more: Partial<Pipeline> = {}): Pipeline {
    return { name: 'p', file: 'p.yaml', stages: this.stages, composites: [], ...more };
  }

  async run(options: Partial<RunOptions> = {}, more: Partial<Pipeline> = {}): Promise<RunResult> {
    this.events = [];
    return runPipeline(this.pipeline(more), {
      store: createStore(this.store.layout.root),
      contracts,
      outputsDir: this.path('outputs'),
      env: {},
      signal: new AbortController().signal,
      retryDelayMs: 20,
      jobs: 2,
      emit: (event) => void this.events.push(event),
      executor: createLocalExecutor({
        workerEntry: this.worker,
        env: { PATH: process.env['PATH'] },
        cpus: 2,
        gpus: [],
        graceMs: 300,
      }),
      ...options,
    });
  }

  /** Start a run in a process of its own. */
  spawn(runner: string) {
    const file = this.write('pipeline.json', JSON.stringify(this.pipeline()));
    return spawn(
      process.execPath,
      [runner, file, this.store.layout.root, this.path('outputs'), contracts, this.worker],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
  }

  lines(name: string): string[] {
    try {
      return readFileSync(this.path(name), 'utf8').trim().split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }

  objects(): string[] {
    return readdirSync(this.store.layout.objects, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.length > 60)
      .map((name) => join(this.store.layout.objects, name));
  }
}

export const from = (stage: string, port = 'documents') => [{ kind: 'stage', stage, port } as const];
export const states = (result: RunResult): Record<string, string> =>
  Object.fromEntries([...result.stages].map(([id, { state }]) => [id, state]));
export const digests = (result: RunResult): Record<string, string> =>
  Object.fromEntries(
    [...result.stages].flatMap(([id, { outputs }]) =>
      Object.entries(outputs).map(([port, { digest }]) => [`${id}.${port}`, digest]),
    ),
  );
