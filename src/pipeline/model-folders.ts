import { relative, resolve } from 'node:path';
import type { Importer, Importers } from './importers.ts';
import type { Instance } from './instances.ts';
import { child, entriesOf, nodeOf, stringNodes, type Span } from './node.ts';
import { isPath } from '../core/paths.ts';
import type { Producers } from './producers.ts';

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
