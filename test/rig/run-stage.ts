import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import { createBackendResolver } from '../../src/backends/resolve.ts';
import type { Manifest } from '../../src/core/artifact.ts';
import type { Dataset, Row } from '../../src/core/data.ts';
import type { Source, StageType } from '../../src/core/stage.ts';
import type { InputArtifact, WorkerMessage } from '../../src/core/worker.ts';
import { loadContract, type DatasetContract } from '../../src/arrow/contract.ts';
import { ArrowDataset } from '../../src/arrow/dataset.ts';
import { sealFolder } from '../../src/worker/seal-folder.ts';
import { ArrowDatasetWriter } from '../../src/arrow/writer.ts';
import { StageRun } from '../../src/worker/stage-run.ts';

const root = new URL('../../', import.meta.url).pathname;
export const contracts = join(root, 'schemas/contracts');

/** An artifact that a test made or a stage left: give it to the next stage as an input. */
export interface TestArtifact extends InputArtifact {
  readonly manifest: Manifest;
  /** Rows of a dataset, all in memory. */
  rows(): Promise<Row[]>;
}

/**
 * Run a stage in this process, as a worker would: config completed with its schema's defaults (and refused when it
 * breaks the schema), outputs checked against their contracts. `map` stages get whole datasets.
 */
export async function runStage<C>(
  stage: StageType<C>,
  options: {
    type?: string;
    config?: Record<string, unknown>;
    inputs?: Record<string, TestArtifact | readonly TestArtifact[]>;
    sources?: Record<string, readonly string[]>;
    directory?: string;
    /** Folder of backends that were set up; without it there are those that come with the packages. */
    backends?: string;
    signal?: AbortSignal;
  },
): Promise<{
  outputs: Record<string, TestArtifact>;
  metrics: Record<string, number>;
  messages: WorkerMessage[];
  attempt: string;
  checkpoint: string;
}> {
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'stage-'));
  const attempt = mkdtempSync(join(directory, 'attempt-'));
  const config: Record<string, unknown> = structuredClone(options.config ?? {});
  const schema = options.type
    ? (JSON.parse(readFileSync(join(root, `schemas/stages/${options.type}.schema.json`), 'utf8')) as object)
    : stage.config;
  if (schema) {
    const ajv = new Ajv({ useDefaults: true, allErrors: true, strict: false });
    if (!ajv.validate(schema, config)) throw new Error(ajv.errorsText());
  }
  const inputs = Object.fromEntries(
    Object.entries(options.inputs ?? {}).map(([port, value]) => [port, [value].flat() as TestArtifact[]]),
  );
  const sources = Object.fromEntries(
    Object.entries(options.sources ?? {}).map(([property, uris]) => [
      property,
      uris.map((uri): Source => ({ uri, name: basename(uri) })),
    ]),
  );
  const messages: WorkerMessage[] = [];
  for (const port of Object.keys(stage.outputs)) mkdirSync(join(attempt, port), { recursive: true });
  const checkpoint = join(directory, 'checkpoint');
  const run = new StageRun(
    {
      stage: options.type ?? 'stage',
      module: '',
      config,
      inputs,
      outputs: stage.outputs,
      sources,
      attempt,
      checkpoint,
      downloads: join(directory, 'downloads'),
      contracts,
      cpus: 1,
      env: {},
      ...(typeof config['backend'] === 'string'
        ? { backend: createBackendResolver({ root: options.backends ?? '/nowhere', gpus: 0 })(config['backend']) }
        : {}),
    },
    (message) => messages.push(message),
    options.signal ?? new AbortController().signal,
  );
  await stage.run(run as never);
  const outputs: Record<string, TestArtifact> = {};
  for (const [port, { contract }] of Object.entries(stage.outputs)) {
    const folder = join(attempt, port);
    const definition = loadContract(contracts, contract);
    const manifest: Manifest =
      definition.kind === 'dataset'
        ? await run.writer(port).finish()
        : { version: 1, kind: 'model', contract, files: sealFolder(folder, port) };
    outputs[port] = artifactOf(manifest, folder, Object.values(inputs).flat());
  }
  return { outputs, metrics: run.metrics, messages, attempt, checkpoint };
}

/** A dataset artifact with the given rows; `meta` is what its contract does not take from them. */
export async function datasetOf(
  contract: string,
  rows: readonly Row[],
  meta?: Record<string, string | number>,
): Promise<TestArtifact> {
  return writeDataset(datasetContract(contract), rows, meta);
}

/** The same as a shell step would leave it: one shard, whatever is in it, that says nothing of itself. */
export async function datasetOfShellStep(contract: string, rows: readonly Row[]): Promise<TestArtifact> {
  return writeDataset({ ...datasetContract(contract), meta: [] }, rows, undefined);
}

async function writeDataset(
  contract: DatasetContract,
  rows: readonly Row[],
  meta: Record<string, string | number> | undefined,
): Promise<TestArtifact> {
  const folder = mkdtempSync(join(tmpdir(), 'dataset-'));
  const writer = new ArrowDatasetWriter(folder, contract);
  for (const row of rows) await writer.add(row);
  await writer.endShard(meta);
  return artifactOf(await writer.finish(), folder, []);
}

function datasetContract(name: string): DatasetContract {
  const definition = loadContract(contracts, name);
  if (definition.kind !== 'dataset') throw new TypeError(`${name} is not a dataset`);
  return definition;
}

/** The artifact in a folder that a test has filled: a tokenizer, a mask plan. */
export function folderOf(contract: string, folder: string): TestArtifact {
  return artifactOf({ version: 1, kind: 'model', contract, files: sealFolder(folder, contract) }, folder, []);
}

/** A document row; what is left out gets a plausible value. */
export function document(
  fields: Partial<Record<'id' | 'source' | 'snapshot' | 'url' | 'title' | 'text' | 'lang' | 'meta', string>>,
): Row {
  return {
    id: 'test:1',
    source: 'test',
    snapshot: '2026-11-01',
    url: '',
    title: '',
    text: '',
    lang: 'en',
    meta: '{}',
    ...fields,
  };
}

function artifactOf(manifest: Manifest, folder: string, inputs: readonly TestArtifact[]): TestArtifact {
  const shards = manifest.files.map((file) => {
    const linked = inputs.flatMap((input) => input.shards).find((shard) => shard.digest === file.digest);
    return { ...file, location: linked?.location ?? join(folder, file.path) };
  });
  return {
    kind: manifest.kind,
    contract: manifest.contract,
    folder,
    shards,
    manifest,
    async rows() {
      const dataset: Dataset = new ArrowDataset(datasetContract(manifest.contract), shards);
      const rows: Row[] = [];
      for await (const row of dataset.rows()) rows.push(row);
      return rows;
    },
  };
}
