import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { digestFile } from '../core/digest.ts';
import { writePieces } from '../model/file-pieces.ts';
import { openSafetensors, writeSafetensors, type HostTensor } from '../model/safetensors.ts';

/** Training state: everything a resumed run needs to continue as if it had never stopped. */
export interface Checkpoint<Progress> {
  /** Steps done. */
  readonly step: number;
  /** Plain JSON: counters and metrics so far. */
  readonly progress: Progress;
  readonly tensors: ReadonlyMap<string, HostTensor>;
}

interface CheckpointManifest<Progress> {
  readonly version: 1;
  readonly step: number;
  readonly progress: Progress;
  readonly sha256: string;
}

/**
 * Write `step-<n>/` atomically: into a temporary folder, fsynced, manifest last, then renamed. All but one of the older
 * checkpoints are removed, so that there is one to fall back on when the newest is damaged.
 */
export function saveCheckpoint<Progress>(directory: string, { step, progress, tensors }: Checkpoint<Progress>): void {
  mkdirSync(directory, { recursive: true });
  const final = join(directory, folderName(step));
  const temporary = join(directory, `.tmp-${process.pid}-${step}`);
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  const state = join(temporary, 'state.safetensors');
  writeSafetensors(state, tensors, { format: 'run-pipeline' });
  const manifest: CheckpointManifest<Progress> = { version: 1, step, progress, sha256: digestFile(state).digest };
  writeDurably(join(temporary, 'manifest.json'), `${JSON.stringify(manifest)}\n`);
  syncFolder(temporary);
  rmSync(final, { recursive: true, force: true });
  renameSync(temporary, final);
  syncFolder(directory);
  for (const old of steps(directory).slice(2))
    rmSync(join(directory, folderName(old)), { recursive: true, force: true });
}

/**
 * The newest checkpoint that passes verification; `warn` is called for each one that does not. Leftovers of a killed
 * writer are removed.
 */
export function loadCheckpoint<Progress>(
  directory: string,
  warn: (message: string) => void,
): Checkpoint<Progress> | undefined {
  if (!existsSync(directory)) return undefined;
  for (const name of readdirSync(directory))
    if (name.startsWith('.tmp-')) rmSync(join(directory, name), { recursive: true, force: true });
  for (const step of steps(directory)) {
    const folder = join(directory, folderName(step));
    try {
      const manifest = JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as CheckpointManifest<Progress>;
      const state = join(folder, 'state.safetensors');
      if (manifest.version !== 1 || manifest.step !== step)
        throw new Error('its manifest has a different version or step');
      if (digestFile(state).digest !== manifest.sha256)
        throw new Error('state.safetensors does not have the recorded SHA-256');
      return { step, progress: manifest.progress, tensors: stored(state) };
    } catch (error) {
      warn(
        `checkpoint ${folder} is damaged (${error instanceof Error ? error.message : String(error)}); trying the ` +
          'one before it',
      );
    }
  }
  return undefined;
}

function folderName(step: number): string {
  return `step-${String(step).padStart(9, '0')}`;
}

/** Steps of the checkpoints in a directory, newest first. */
function steps(directory: string): number[] {
  return readdirSync(directory)
    .flatMap((name) => /^step-(\d+)$/.exec(name)?.[1] ?? [])
    .map(Number)
    .sort((a, b) => b - a);
}

/** Tensors of a verified file, each read when it is used. */
function stored(path: string): Map<string, HostTensor> {
  return new Map(
    [...openSafetensors(path)].map(([name, tensor]): [string, HostTensor] => [
      name,
      {
        shape: tensor.shape,
        get data() {
          return tensor.read();
        },
      },
    ]),
  );
}

function writeDurably(path: string, text: string): void {
  const fd = openSync(path, 'w');
  try {
    writePieces(fd, Buffer.from(text));
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
