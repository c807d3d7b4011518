import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BackendChoice } from '../core/backend.ts';
import { fail } from '../core/diagnostic.ts';
import type { Dataset, OutputFolder, Folder } from '../core/data.ts';
import type { Source, StageContext } from '../core/stage.ts';
import type { ActionRequest, WorkerMessage } from '../core/worker.ts';
import { loadContract } from '../arrow/contract.ts';
import { ArrowDataset } from '../arrow/dataset.ts';
import { ArrowDatasetWriter } from '../arrow/writer.ts';

const progressEveryMs = 100;

/**
 * The context of a stage's `run`, built from an action request. Asking for a port that the stage does not declare is a
 * bug.
 */
export class StageRun implements StageContext {
  readonly stage: string;
  readonly config: Record<string, unknown>;
  readonly signal: AbortSignal;
  readonly cpus: number;
  readonly metrics: Record<string, number> = {};
  readonly gauges = new Set<string>();
  /** Names of the metrics that {@link drop} counts. */
  readonly drops = new Set<string>();
  private readonly request: ActionRequest;
  private readonly send: (message: WorkerMessage) => void;
  private readonly writers = new Map<string, ArrowDatasetWriter>();
  private lastProgress = 0;

  constructor(request: ActionRequest, send: (message: WorkerMessage) => void, signal: AbortSignal) {
    this.request = request;
    this.send = send;
    this.signal = signal;
    this.stage = request.stage;
    this.config = request.config;
    this.cpus = request.cpus;
  }

  dataset(port: string): Dataset {
    const [dataset, ...others] = openInput(this.request, port);
    if (!dataset || others.length > 0)
      throw new TypeError(`input "${port}" has ${others.length + (dataset ? 1 : 0)} datasets where one is expected`);
    return dataset;
  }

  datasets(port: string): readonly Dataset[] {
    return openInput(this.request, port);
  }

  has(port: string): boolean {
    return (this.request.inputs[port]?.length ?? 0) > 0;
  }

  folder(port: string): Folder | undefined {
    const artifact = this.request.inputs[port]?.[0];
    if (artifact?.shards.length === 0)
      fail(
        'empty-input',
        `Input "${port}" is empty: the stage it is connected to did not produce its optional output.`,
        'Check its log (`run-pipeline logs`) for the reason, or connect another stage.',
      );
    return artifact && { path: artifact.folder, files: artifact.shards };
  }

  sources(property: string): readonly Source[] {
    return this.request.sources[property] ?? [];
  }

  writer(port: string): ArrowDatasetWriter {
    let writer = this.writers.get(port);
    if (!writer) {
      const contract = loadContract(this.request.contracts, this.output(port));
      if (contract.kind !== 'dataset')
        throw new TypeError(`output "${port}" is a ${contract.kind}: use outputFolder()`);
      writer = new ArrowDatasetWriter(join(this.request.attempt, port), contract);
      this.writers.set(port, writer);
    }
    return writer;
  }

  outputFolder(port: string): OutputFolder {
    this.output(port);
    return { path: join(this.request.attempt, port) };
  }

  progress(done: number, total: number | undefined, unit: string, note?: string): void {
    const now = Date.now();
    if (now - this.lastProgress < progressEveryMs && done !== total) return;
    this.lastProgress = now;
    this.send({
      type: 'progress',
      done,
      unit,
      ...(total === undefined ? {} : { total }),
      ...(note === undefined ? {} : { note }),
    });
  }

  count(name: string, by = 1): void {
    this.metrics[name] = (this.metrics[name] ?? 0) + by;
  }

  drop(reason: string, by = 1): void {
    const name = `dropped.${reason}`;
    this.drops.add(name);
    this.count(name, by);
  }

  metric(name: string, value: number): void {
    this.metrics[name] = value;
    this.gauges.add(name);
    this.send({ type: 'metric', name, value });
  }

  log(text: string): void {
    this.send({ type: 'log', stream: 'log', text });
  }

  get backend(): BackendChoice {
    const { backend } = this.request;
    if (backend === undefined)
      throw new TypeError(`stage "${this.stage}" does not have a config property with "x-inherits": "backend"`);
    return { ...backend, threads: Math.max(1, Math.floor(this.cpus)) };
  }

  get checkpoint(): string {
    mkdirSync(this.request.checkpoint, { recursive: true });
    return this.request.checkpoint;
  }

  get downloads(): string {
    mkdirSync(this.request.downloads, { recursive: true });
    return this.request.downloads;
  }

  get scratch(): string {
    const path = join(this.request.attempt, '.scratch');
    mkdirSync(path, { recursive: true });
    return path;
  }

  private output(port: string): string {
    const declared = this.request.outputs[port];
    if (!declared) throw new TypeError(`stage "${this.stage}" does not have an output "${port}"`);
    return declared.contract;
  }
}

/** Datasets of an input, with their contract. Fails if a shard is missing from the file system. */
function openInput(request: ActionRequest, port: string): ArrowDataset[] {
  return (request.inputs[port] ?? []).map((artifact) => {
    const contract = loadContract(request.contracts, artifact.contract);
    if (contract.kind !== 'dataset') throw new TypeError(`input "${port}" is a ${contract.kind}, not a dataset`);
    for (const shard of artifact.shards)
      if (!existsSync(shard.location))
        fail('missing-shard', `Shard ${shard.path} is missing from ${shard.location}.`, 'Run again to rebuild it.');
    return new ArrowDataset(contract, artifact.shards);
  });
}
