import { relative, resolve } from 'node:path';
import type { StageDescription } from '../core/pipeline.ts';
import type { Instance } from './instances.ts';
import { child, entriesOf, nodeOf, stringNodes, type Span } from './node.ts';
import { isPath } from './paths.ts';
import type { Producers } from './producers.ts';

/**
 * A stage type that imports a folder, and the config property that takes its path. An input may name such a folder
 * instead of a stage: `init: ./roberta-base`.
 */
export interface Importer {
  readonly uses: string;
  readonly property: string;
}

/** Importers by the contract that they import. */
export type Importers = Readonly<Record<string, Importer>>;

/** The importing stage types: those with a config property marked `x-imports: <contract>`. */
export function importersOf(types: readonly Pick<StageDescription, 'type' | 'config'>[]): Importers {
  const importers: Record<string, Importer> = {};
  for (const { type, config } of types)
    for (const [property, schema] of Object.entries(
      (config.properties ?? {}) as Record<string, Record<string, unknown>>,
    )) {
      const contract = schema['x-imports'];
      if (typeof contract === 'string') importers[contract] = { uses: type, property };
    }
  return importers;
}

/** Name of the stage that imports a folder, from its path relative to the pipeline file. */
export function folderStage({ uses }: Importer, path: string, at: Span, directory: string): string {
  return `${uses}[${relative(directory, resolve(at.source.directory, path)) || '.'}]`;
}

/**
 * The stages implied by inputs such as `init: ../models/roberta-base`: one per folder and contract, regardless of how
 * many inputs name it.
 */
export function modelFolders(
  instances: Producers['byName'],
  directory: string,
  importers: Importers,
): ReadonlyMap<string, readonly Instance[]> {
  const stages = new Map<string, readonly Instance[]>();
  for (const { on, type, node } of [...instances.values()].flat())
    for (const [port, input] of on ? entriesOf(child(node, 'inputs')) : []) {
      const importer = importers[type?.inputs[port]?.contract ?? ''];
      if (importer === undefined) continue;
      for (const { value: path, span } of stringNodes(input.node)) {
        if (!isPath(path)) continue;
        const { uses, property } = importer;
        const name = folderStage(importer, path, span, directory);
        const written = nodeOf({ uses, with: { [property]: path } }, span);
        stages.set(name, [{ id: name, name, matrix: {}, node: written, at: span, sound: true, on: true }]);
      }
    }
  return stages;
}
