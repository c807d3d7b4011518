import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package, where `dist/`, `schemas/` and `pipelines/` are: for sources and for what they become. */
export const packageRoot = nearest(import.meta.dirname, 'package.json');

function nearest(from: string, name: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (dirname(folder) === folder) throw new Error(`${from} is not in the run-pipeline package`);
  }
}
