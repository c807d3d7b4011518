import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Manifest } from '../../src/core/artifact.ts';
import type { Row } from '../../src/core/data.ts';
import { loadContract } from '../../src/arrow/contract.ts';
import { ArrowDataset } from '../../src/arrow/dataset.ts';
import { contracts } from './run-stage.ts';

/** The manifest of an artifact that `outputs/<pipeline>/<stage>` links to. */
export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'manifest.json'), 'utf8')) as Manifest;
}

/** All rows of a dataset that `outputs/<pipeline>/<stage>` links to. */
export async function rowsOf(folder: string): Promise<Row[]> {
  const { contract, files } = manifestOf(folder);
  const definition = loadContract(contracts, contract);
  if (definition.kind !== 'dataset') throw new TypeError(`${folder} has no rows`);
  const rows: Row[] = [];
  for await (const row of new ArrowDataset(
    definition,
    files.map((file) => ({ ...file, location: join(folder, file.path) })),
  ).rows())
    rows.push(row);
  return rows;
}
