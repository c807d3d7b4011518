import { homedir } from 'node:os';
import { join } from 'node:path';

let folder = join(homedir(), '.cache/run-pipeline/backends');

/** Where `setup` puts backends that are compiled on this machine, one folder each. */
export function backendsFolder(): string {
  return folder;
}

/** Look elsewhere from now on: what `RUN_PIPELINE_BACKENDS` asks for. */
export function useBackendsFolder(path: string): void {
  folder = path;
}
