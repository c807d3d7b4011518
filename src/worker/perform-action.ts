import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ArtifactFile, Manifest } from '../core/artifact.ts';
import { fail, Failure, type Diagnostic } from '../core/diagnostic.ts';
import { noSpace } from '../core/no-space.ts';
import { digestFile } from '../core/digest.ts';
import { emptyOutput } from '../core/empty-output.ts';
import type { Port, StageType } from '../core/stage.ts';
import type { ActionOutcome, ActionRequest, WorkerMessage } from '../core/worker.ts';
import { loadContract, type DatasetContract } from '../arrow/contract.ts';
import { sealFolder } from './seal-folder.ts';
import type { StageRun } from './stage-run.ts';
import type { Environment } from './shell-step.ts';

/**
 * Run one action in its attempt directory and seal its results: every output is checked against its contract, fsynced
 * and digested. Throws a Failure for problems that the user can fix.
 */
export async function performAction(
  request: ActionRequest,
  send: (message: WorkerMessage) => void,
  signal: AbortSignal,
  environment: Environment,
): Promise<ActionOutcome> {
  for (const port of Object.keys(request.outputs)) mkdirSync(join(request.attempt, port), { recursive: true });
  // A stage needs Arrow but not zx, and most shell steps the reverse; loading either takes longer than a small action.
  if (request.shell) {
    const { runShellStep } = await import('./shell-step.ts');
    await runShellStep(request, request.shell, send, signal, environment);
    const outputs: Record<string, Manifest> = {};
    for (const [name, port] of Object.entries(request.outputs))
      outputs[name] = await sealShellOutput(request, name, port);
    return { outputs, metrics: {} };
  }
  const { default: stage } = (await import(pathToFileURL(request.module).href)) as { default: StageType };
  const { StageRun } = await import('./stage-run.ts');
  const run = new StageRun(request, send, signal);
  await stage.run(run);
  const outputs: Record<string, Manifest> = {};
  for (const [name, port] of Object.entries(request.outputs)) {
    const contract = loadContract(request.contracts, port.contract);
    outputs[name] =
      contract.kind === 'dataset'
        ? checkDataset(withFiles(await run.writer(name).finish(), contract, request, name), request, name, port, run)
        : checkFolder(sealFolder(join(request.attempt, name), request.stage), request, name, port, contract.files);
  }
  return { outputs, metrics: run.metrics, gauges: [...run.gauges], drops: [...run.drops] };
}

/** Turn anything a stage threw into a diagnostic that names the stage; bugs keep their stack in the message. */
export function diagnosticOf(error: unknown, stage: string): Diagnostic {
  if (error instanceof Failure) return { stage, ...error.diagnostic };
  const full = noSpace(error);
  if (full !== undefined) return { stage, ...full };
  const { code } = (error ?? {}) as { code?: unknown };
  if (code === 'EMFILE' || code === 'ENFILE')
    return {
      code: 'too-many-files',
      stage,
      message: 'Too many files are open.',
      help: 'Raise the limit (`ulimit -n`) or lower --jobs, and run again.',
    };
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    code: 'stage-crashed',
    stage,
    message: `The stage threw: ${text}`,
    help: 'This is a bug in the stage; its full output is in `run-pipeline logs`.',
  };
}

async function sealShellOutput(request: ActionRequest, name: string, port: Port): Promise<Manifest> {
  const contract = loadContract(request.contracts, port.contract);
  const folder = join(request.attempt, name);
  mkdirSync(folder, { recursive: true }); // a script may have removed it
  const files = sealFolder(folder, request.stage);
  if (contract.kind === 'folder') return checkFolder(files, request, name, port, contract.files);
  const shards: ArtifactFile[] = [];
  for (const file of files) {
    if (contract.files?.includes(file.path)) {
      shards.push(file);
      continue;
    }
    if (!file.path.endsWith('.arrow'))
      fail(
        'contract-broken',
        `Output "${name}" of stage "${request.stage}" holds ${file.path}, which is not an .arrow file.`,
        `Its contract "${contract.name}" is a dataset: write Arrow IPC files into $OUT_${name.toUpperCase()}.`,
      );
    shards.push({ ...file, rows: await countRows(join(folder, file.path), file, contract, request, name) });
  }
  const missing = contract.files?.find((path) => !files.some((file) => file.path === path));
  if (missing !== undefined) failMissing([missing], contract.name, contract.files ?? [], request, name);
  return checkDataset({ version: 1, kind: 'dataset', contract: contract.name, files: shards }, request, name, port);
}

/** Number of rows of a shard that a script wrote, read to its end to check that it is complete. */
async function countRows(
  location: string,
  file: ArtifactFile,
  contract: DatasetContract,
  request: ActionRequest,
  name: string,
): Promise<number> {
  const { readShard } = await import('../arrow/dataset.ts');
  let rows = 0;
  try {
    for await (const batch of readShard({ ...file, location }, contract)) rows += batch.numRows;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const { cause } = error;
    fail(
      'contract-broken',
      `Output "${name}" of stage "${request.stage}" holds ${file.path}, which breaks its contract ` +
        `"${contract.name}": ${cause instanceof Error ? cause.message : error.message}`,
      'Write complete Arrow IPC files (the file format, not the stream format) with the columns of the contract.',
      error,
    );
  }
  return rows;
}

/** With the files that the contract promises next to the shards. */
function withFiles(manifest: Manifest, contract: DatasetContract, request: ActionRequest, name: string): Manifest {
  const promised = contract.files ?? [];
  if (promised.length === 0) return manifest;
  const at = (path: string): string => join(request.attempt, name, path);
  const missing = promised.filter((path) => !existsSync(at(path)));
  if (missing.length > 0) failMissing(missing, contract.name, promised, request, name);
  const files = promised.map((path): ArtifactFile => ({ path, ...digestFile(at(path), { flush: true }) }));
  return { ...manifest, files: [...manifest.files, ...files] };
}

function failMissing(
  missing: readonly string[],
  contract: string,
  promised: readonly string[],
  { stage }: ActionRequest,
  name: string,
): never {
  const what = missing.length > 0 ? `lacks ${missing.join(', ')}` : 'has no files';
  return fail(
    'contract-broken',
    `Output "${name}" of stage "${stage}" ${what}; its contract "${contract}" promises ` +
      `${promised.join(', ') || 'at least one file'}.`,
    `The stage ended without writing ${missing.length === 0 ? 'any' : missing.length === 1 ? 'it' : 'them'}.`,
  );
}

function checkDataset(
  manifest: Manifest,
  request: ActionRequest,
  name: string,
  port: Port,
  { metrics, drops }: Pick<StageRun, 'metrics' | 'drops'> = { metrics: {}, drops: new Set() },
): Manifest {
  const rows = manifest.files.reduce((sum, file) => sum + (file.rows ?? 0), 0);
  if (rows === 0 && port.optional !== true && request.partial !== true) {
    throw new Failure(emptyOutput(request.stage, name, port.contract, metrics, drops));
  }
  return manifest;
}

function checkFolder(
  files: ArtifactFile[],
  request: ActionRequest,
  name: string,
  { contract, optional }: Port,
  promised: readonly string[],
): Manifest {
  if (files.length === 0 && optional === true) return { version: 1, kind: 'folder', contract, files };
  const missing = promised.filter((path) => !files.some((file) => file.path === path && file.bytes > 0));
  if (missing.length > 0 || files.length === 0) failMissing(missing, contract, promised, request, name);
  return { version: 1, kind: 'folder', contract, files };
}
