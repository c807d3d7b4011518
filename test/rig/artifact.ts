import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../../src/core/artifact.ts';
import type { Row } from '../../src/core/data.ts';
import { artifactOf } from './run-stage.ts';

/** The manifest of an artifact that `outputs/<pipeline>/<stage>` links to. */
export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
}

/** All rows of a dataset that `outputs/<pipeline>/<stage>` links to. */
export function rowsOf(folder: string): Promise<Row[]> {
  return artifactOf(manifestOf(folder), folder).rows();
}
