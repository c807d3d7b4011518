import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../core/diagnostic.ts';

/** Arrow types a contract may name. */
export type FieldType = 'utf8' | 'bool' | 'int32' | 'uint32' | 'float32' | 'float64' | 'list<uint16>' | 'list<uint32>';

export interface ContractField {
  readonly name: string;
  readonly type: FieldType;
  readonly description: string;
  /** A shard may omit the column. */
  readonly optional?: boolean;
}

/** A field of a shard's meta, in its manifest entry. */
export interface ContractMeta {
  readonly name: string;
  readonly type: 'utf8' | 'number';
  readonly description: string;
  /** A shard may omit it. */
  readonly optional?: boolean;
  /**
   * The writer takes it from the column of the same name, which then has one value per shard, or sets it to the number
   * of rows. Without `from`, the stage provides it when it ends a shard.
   */
  readonly from?: 'column' | 'rows';
}

/**
 * What a port promises: the columns of a dataset's shards or the files of a folder. `schemas/contract.schema.json`
 * describes the format.
 */
export type Contract =
  | {
      readonly name: string;
      readonly kind: 'dataset';
      readonly description: string;
      readonly fields: readonly ContractField[];
      readonly meta?: readonly ContractMeta[];
      /** Files next to the shards that belong to the whole dataset. */
      readonly files?: readonly string[];
      /** A shard is full when the values of a column have this total length: characters of texts, items of lists. */
      readonly shard_size?: { readonly column: string; readonly length: number };
    }
  | { readonly name: string; readonly kind: 'folder'; readonly description: string; readonly files: readonly string[] };

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
    return fail('unknown-contract', `Unknown contract "${name}".`, `Contracts are the files of ${directory}.`, cause);
  }
  const contract = JSON.parse(text) as Contract;
  loaded.set(path, contract);
  return contract;
}
