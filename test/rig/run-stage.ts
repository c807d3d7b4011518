import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { createBackendResolver } from '../../src/backends/resolve.ts';
import type { ArtifactFile, Manifest } from '../../src/core/artifact.ts';
import type { Row, Shard } from '../../src/core/data.ts';
import type { StageNode } from '../../src/core/pipeline.ts';
import { promisesOf, type Source, type StageType } from '../../src/core/stage.ts';
import type { ActionOutcome, ActionRequest, InputArtifact, WorkerMessage } from '../../src/core/worker.ts';
import { loadContract, type DatasetContract } from '../../src/arrow/contract.ts';
import { ArrowDataset } from '../../src/arrow/dataset.ts';
import type { ActionRecord, Artifact } from '../../src/plan/action-cache.ts';
import { divide } from '../../src/plan/divide.ts';
import { concatenate, toArtifact } from '../../src/plan/fingerprint.ts';
import { stageMetrics } from '../../src/plan/planner.ts';
import { performAction } from '../../src/worker/perform-action.ts';
import { sealFolder } from '../../src/worker/seal-folder.ts';
import { ArrowDatasetWriter } from '../../src/arrow/writer.ts';
import { moduleOf } from './module-of.ts';
import { overChannel } from './over-channel.ts';
import { checkInputs, checkOutput, completeConfig } from './stage-checks.ts';
import { stageSchema } from './stage-schema.ts';

const root = new URL('../../', import.meta.url).pathname;
export const contracts = join(root, 'schemas/contracts');

/** An artifact that a test made or a stage left: give it to the next stage as an input. */
export interface TestArtifact extends InputArtifact {
  readonly manifest: Manifest;
  /** Rows of a dataset, all in memory. */
  rows(): Promise<Row[]>;
}

type Inputs = Readonly<Record<string, readonly TestArtifact[]>>;
type Sources = Readonly<Record<string, readonly Source[]>>;

/**
 * Run a stage in this process as workers run its actions: each through `performAction`, in an attempt folder of its
 * own, with the request and the outcome as the JSON that goes over the process channel; a `map` stage has an action for
 * each shard or file. What the loader guarantees is checked before: the config is completed with its schema's defaults
 * and keeps the schema and `check`, and inputs keep the contracts of their ports. Afterwards every file of the outputs
 * must be what its manifest says. Rejects with what the stage or a check throws.
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
): Promise<{ outputs: Record<string, TestArtifact>; metrics: Record<string, number>; messages: WorkerMessage[] }> {
  const type = options.type ?? 'stage';
  const directory = options.directory ?? mkdtempSync(join(tmpdir(), 'stage-'));
  const schema = options.type ? stageSchema(type) : stage.config;
  const config = completeConfig(stage, schema, options.config);
  const given: Inputs = Object.fromEntries(
    Object.entries(options.inputs ?? {}).map(([port, value]) => [port, [value].flat() as TestArtifact[]]),
  );
  checkInputs(stage, type, given);
  const sources: Sources = Object.fromEntries(
    Object.entries(options.sources ?? {}).map(([property, uris]) => [
      property,
      uris.map((uri): Source => ({ uri, name: basename(uri) })),
    ]),
  );
  const request = {
    stage: type,
    module: moduleOf(stage as StageType<never>),
    config,
    outputs: stage.outputs,
    checkpoint: join(directory, 'checkpoint'),
    downloads: join(directory, 'downloads'),
    contracts,
    cpus: 1,
    env: {},
    ...(stage.map === undefined ? {} : { partial: true }),
    ...(typeof config['backend'] === 'string'
      ? { backend: createBackendResolver({ root: options.backends ?? '/nowhere', gpus: 0 })(config['backend']) }
      : {}),
  };
  const messages: WorkerMessage[] = [];
  const ends: { readonly outcome: ActionOutcome; readonly attempt: string }[] = [];
  for (const action of actionsOf(stage as StageType<never>, given, sources)) {
    const attempt = mkdtempSync(join(directory, 'attempt-'));
    const whole: ActionRequest = { ...request, ...action, inputs: asWorkersSee(action.inputs), attempt };
    const outcome = await performAction(
      overChannel(whole),
      (message) => messages.push(overChannel(message)),
      options.signal ?? new AbortController().signal,
      process.env,
    );
    ends.push({ outcome: overChannel(outcome), attempt });
  }
  const outputs: Record<string, TestArtifact> = {};
  for (const [port, { contract }] of Object.entries(stage.outputs)) {
    const parts = ends.map(({ outcome, attempt }) => ({
      manifest: outcome.outputs[port]!,
      folder: join(attempt, port),
    }));
    outputs[port] = joined(parts, contract, Object.values(given).flat());
    await checkOutput(outputs[port], contract, contracts, `output "${port}" of ${type}`);
  }
  return { outputs, metrics: stageMetrics(ends.map(({ outcome }) => outcome as unknown as ActionRecord)), messages };
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
  return artifactOf(await writer.finish(), folder);
}

function datasetContract(name: string): DatasetContract {
  const definition = loadContract(contracts, name);
  if (definition.kind !== 'dataset') throw new TypeError(`${name} is not a dataset`);
  return definition;
}

/** The artifact in a folder that a test has filled: a tokenizer, a mask plan. */
export function folderOf(contract: string, folder: string): TestArtifact {
  return artifactOf({ version: 1, kind: 'folder', contract, files: sealFolder(folder, contract) }, folder);
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

/** What each action works on, as the planner divides it. */
function actionsOf(
  stage: StageType<never>,
  inputs: Inputs,
  sources: Sources,
): { readonly inputs: Inputs; readonly sources: Sources }[] {
  const { map, ...type } = promisesOf(stage);
  const node = {
    id: 'stage',
    type: { ...type, type: 'stage', ...(map && { map }) },
    location: {},
  } as unknown as StageNode;
  const originals = Object.values(inputs).flat();
  const asPlanned = ({ manifest, shards }: TestArtifact): Artifact =>
    toArtifact({ ...manifest, files: shards.map(({ location: _, ...file }) => file) });
  const given = Object.fromEntries(Object.entries(inputs).map(([port, list]) => [port, list.map(asPlanned)]));
  const shardOf = (file: ArtifactFile): Shard => {
    const original = originals.flatMap(({ shards }) => shards).find(({ digest }) => digest === file.digest);
    return { ...file, location: original?.location ?? '' };
  };
  return divide(node, given, sources).map((part) => ({
    sources: part.sources,
    inputs: Object.fromEntries(
      Object.entries(part.inputs).map(([port, list]) => [
        port,
        list.map(({ manifest }, index): TestArtifact => {
          const artifact = inputs[port]![index]!;
          return map?.ports.includes(port) ? { ...artifact, manifest, shards: manifest.files.map(shardOf) } : artifact;
        }),
      ]),
    ),
  }));
}

const asWorkersSee = (inputs: Inputs): ActionRequest['inputs'] =>
  Object.fromEntries(
    Object.entries(inputs).map(([port, list]) => [
      port,
      list.map(({ kind, contract, folder, shards }) => ({
        kind,
        contract,
        folder: kind === 'dataset' ? '' : folder,
        shards,
      })),
    ]),
  );

/** What the actions of a stage left in one port, as one artifact. */
function joined(
  parts: readonly { readonly manifest: Manifest; readonly folder: string }[],
  contract: string,
  inputs: readonly TestArtifact[],
): TestArtifact {
  const { manifest } = concatenate(
    parts.map((part) => toArtifact(part.manifest)),
    contract,
  );
  const locations = parts.flatMap((part) => part.manifest.files.map(({ path }) => join(part.folder, path)));
  return artifactOf(manifest, parts[0]?.folder ?? '', inputs, locations);
}

/** An artifact of a manifest, whose files are in `folder` or at `locations`; shards of `inputs` stay where they are. */
export function artifactOf(
  manifest: Manifest,
  folder: string,
  inputs: readonly TestArtifact[] = [],
  locations = manifest.files.map(({ path }) => join(folder, path)),
): TestArtifact {
  const shards = manifest.files.map((file, index) => {
    const linked = inputs.flatMap((input) => input.shards).find((shard) => shard.digest === file.digest);
    return { ...file, location: linked?.location ?? locations[index]! };
  });
  return {
    kind: manifest.kind,
    contract: manifest.contract,
    folder,
    shards,
    manifest,
    async rows() {
      const rows: Row[] = [];
      for await (const row of new ArrowDataset(datasetContract(manifest.contract), shards).rows()) rows.push(row);
      return rows;
    },
  };
}
