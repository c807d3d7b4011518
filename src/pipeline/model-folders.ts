import { relative, resolve } from 'node:path';
import type { Instance } from './instances.ts';
import { child, entriesOf, nodeOf, stringNodes, type Span } from './node.ts';
import type { Producers } from './references.ts';

/**
 * Whether an input names a folder rather than a stage: `./roberta-base`, `../models/roberta-base`,
 * `/models/roberta-base`.
 */
export const isPath = (text: string): boolean => /^\.{0,2}\//.test(text);

/** Stage types that bring in what a Hugging Face folder has, by the contract that an input takes. */
const importers: Readonly<Record<string, string>> = { model: 'import-model', tokenizer: 'import-tokenizer' };

export const isGivenAsFolder = (contract: string | undefined): boolean =>
  contract !== undefined && Object.hasOwn(importers, contract);

/** Name of the stage that brings in a folder, by its path from the folder of the pipeline file. */
export function folderStage(path: string, contract: string, at: Span, directory: string): string {
  return `${importers[contract] ?? ''}[${relative(directory, resolve(at.source.directory, path)) || '.'}]`;
}

/**
 * The stages that inputs such as `init: ../models/roberta-base` mean: one for each folder and what is taken of it,
 * however many inputs name it.
 */
export function modelFolders(
  instances: Producers['byName'],
  directory: string,
): ReadonlyMap<string, readonly Instance[]> {
  const stages = new Map<string, readonly Instance[]>();
  for (const { on, type, node } of [...instances.values()].flat()) {
    for (const [port, input] of on ? entriesOf(child(node, 'inputs')) : []) {
      const contract = type?.inputs[port]?.contract;
      if (contract === undefined || !isGivenAsFolder(contract)) continue;
      for (const { value: path, span } of stringNodes(input.node)) {
        if (!isPath(path)) continue;
        const name = folderStage(path, contract, span, directory);
        if (!stages.has(name))
          stages.set(name, [
            {
              id: name,
              name,
              matrix: {},
              node: nodeOf({ uses: importers[contract], with: { path } }, span),
              at: span,
              sound: true,
              on: true,
            },
          ]);
      }
    }
  }
  return stages;
}
