import { relative, resolve } from 'node:path';
import type { Instance } from './instances.ts';
import { child, entriesOf, nodeOf, stringNodes, type Span } from './node.ts';

/** Whether an input names a folder rather than a stage: `./roberta-base`, `../models/roberta-base`, `/models/roberta-base`. */
export const isPath = (text: string): boolean => /^\.{0,2}\//.test(text);

/** Contracts of which a Hugging Face folder can be given directly. */
export const isGivenAsFolder = (contract: string | undefined): boolean => contract === 'model' || contract === 'tokenizer';

/** Name of the stage that brings in the folder, by its path from the folder of the pipeline file. */
export function folderStage(path: string, at: Span, directory: string): string {
  return `import-model[${relative(directory, resolve(at.source.directory, path)) || '.'}]`;
}

/**
 * The `import-model` stages that inputs such as `init: ../models/roberta-base` mean: one for each folder, however many
 * inputs name it.
 */
export function modelFolders(instances: ReadonlyMap<string, readonly Instance[]>, directory: string): ReadonlyMap<string, readonly Instance[]> {
  const stages = new Map<string, readonly Instance[]>();
  for (const instance of [...instances.values()].flat()) {
    if (!instance.on) continue;
    for (const { node: input } of entriesOf(child(instance.node, 'inputs')).values()) {
      for (const { value: path, span } of stringNodes(input)) {
        if (!isPath(path)) continue;
        const name = folderStage(path, span, directory);
        const node = nodeOf({ uses: 'import-model', with: { path } }, span);
        if (!stages.has(name)) stages.set(name, [{ id: name, name, matrix: {}, node, at: span, sound: true, on: true }]);
      }
    }
  }
  return stages;
}
