import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../core/diagnostic.ts';

/** Arrow types a contract may name. */
export type FieldType = 'utf8' | 'bool' | 'int32' | 'uint32' | 'float32' | 'float64' | 'list<uint16>' | 'list<uint32>';

export interface ContractField {
  readonly name: string;
  readonly type: FieldType;
  readonly description: string;
  /** A shard may lack the column. */
  readonly optional?: boolean;
}

/** What a port promises: the columns of a dataset's shards or the files of a model folder. */
export type Contract =
  | {
      readonly name: string;
      readonly kind: 'dataset';
      readonly description: string;
      readonly fields: readonly ContractField[];
    }
  | { readonly name: string; readonly kind: 'model'; readonly description: string; readonly files: readonly string[] };

export type DatasetContract = Extract<Contract, { kind: 'dataset' }>;

const loaded = new Map<string, Contract>();

/** Read the contract `<directory>/<name>.json`. Fails with `unknown-contract` when there is none. */
export function loadContract(directory: string, name: string): Contract {
  const path = join(directory, `${name}.json`);
  const known = loaded.get(path);
  if (known) return known;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    return fail(
      'unknown-contract',
      `There is no contract "${name}".`,
      `Contracts are the files of ${directory}.`,
      cause,
    );
  }
  const contract = JSON.parse(text) as Contract;
  loaded.set(path, contract);
  return contract;
}
