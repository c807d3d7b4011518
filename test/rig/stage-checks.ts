import { Ajv } from 'ajv';
import type { StageType } from '../../src/core/stage.ts';
import type { InputArtifact } from '../../src/core/worker.ts';
import { loadContract } from '../../src/arrow/contract.ts';
import { ArrowDataset } from '../../src/arrow/dataset.ts';
import { digestFile } from '../../src/core/digest.ts';

/** A config with its schema's defaults; throws when it breaks the schema, an object or its path, or `check` objects. */
export function completeConfig<C>(
  stage: StageType<C>,
  schema: object | undefined,
  given: Readonly<Record<string, unknown>> = {},
): Record<string, unknown> {
  const config = structuredClone(given) as Record<string, unknown>;
  if (schema !== undefined) {
    const ajv = new Ajv({ useDefaults: true, allErrors: true, strict: false });
    if (!ajv.validate(schema, config)) throw new Error(ajv.errorsText());
  }
  const problems = stage.check?.(config as C) ?? [];
  if (problems.length > 0)
    throw new Error(problems.map(({ property, message }) => `${property}: ${message}`).join('\n'));
  return config;
}

/** Throws for inputs that the loader would refuse in a pipeline. */
export function checkInputs<C>(
  stage: StageType<C>,
  type: string,
  inputs: Readonly<Record<string, readonly InputArtifact[]>>,
): void {
  for (const [port, list] of Object.entries(inputs)) {
    const declared = stage.inputs[port];
    if (declared === undefined) throw new Error(`${type} has no input "${port}"`);
    if (declared.many !== true && list.length > 1)
      throw new Error(`input "${port}" of ${type} takes one artifact, not ${list.length}`);
    for (const { contract } of list)
      if (contract !== declared.contract)
        throw new Error(`input "${port}" of ${type} takes ${declared.contract}, not ${contract}`);
  }
}

/** Throws unless every file is in place with the bytes, and a dataset's shards have the columns and rows, promised. */
export async function checkOutput(
  output: InputArtifact,
  contract: string,
  contracts: string,
  name: string,
): Promise<void> {
  if (output.contract !== contract) throw new Error(`${name} is of ${output.contract}, not ${contract}`);
  for (const { path, location, digest, bytes } of output.shards) {
    const sealed = digestFile(location);
    if (sealed.digest !== digest || sealed.bytes !== bytes)
      throw new Error(`${path} of ${name} is not the file that its manifest describes`);
  }
  const definition = loadContract(contracts, contract);
  if (definition.kind !== output.kind) throw new Error(`${name} is a ${output.kind}, not a ${definition.kind}`);
  if (definition.kind !== 'dataset') return;
  for await (const _ of new ArrowDataset(definition, output.shards).batches()); // reading to the end checks
}
