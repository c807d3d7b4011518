import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of this package, with `dist/`, `schemas/` and `pipelines/`. Works from the sources and when compiled. */
export const packageRoot = nearest(import.meta.dirname, 'package.json');

function nearest(from: string, name: string): string {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (dirname(folder) === folder) throw new Error(`${from} is not in the run-pipeline package`);
  }
}
