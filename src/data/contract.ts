import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Bool, Field, Float32, Float64, Int32, List, Schema, Uint16, Uint32, Utf8, type DataType } from 'apache-arrow';
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
  | { readonly name: string; readonly kind: 'dataset'; readonly description: string; readonly fields: readonly ContractField[] }
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
    return fail('unknown-contract', `There is no contract "${name}".`, `Contracts are the files of ${directory}.`, cause);
  }
  const contract = JSON.parse(text) as Contract;
  loaded.set(path, contract);
  return contract;
}

/** The Arrow schema of the named columns, in the contract's order. Columns are never null. */
export function arrowSchema(fields: readonly ContractField[]): Schema {
  return new Schema(fields.map((field) => new Field(field.name, arrowType(field.type), false)));
}

/** Why a shard's schema breaks the contract, or `undefined` when it keeps it. Extra columns are allowed. */
export function schemaMismatch(schema: Schema, fields: readonly ContractField[]): string | undefined {
  for (const field of fields) {
    const found = schema.fields.find((other) => other.name === field.name);
    if (!found && !field.optional) return `column "${field.name}" (${field.type}) is missing`;
    if (found && describeType(found.type) !== field.type) return `column "${field.name}" is ${describeType(found.type)}, not ${field.type}`;
  }
  return undefined;
}

function arrowType(type: FieldType): DataType {
  switch (type) {
    case 'utf8': return new Utf8();
    case 'bool': return new Bool();
    case 'int32': return new Int32();
    case 'uint32': return new Uint32();
    case 'float32': return new Float32();
    case 'float64': return new Float64();
    case 'list<uint16>': return new List(new Field('item', new Uint16(), false));
    case 'list<uint32>': return new List(new Field('item', new Uint32(), false));
  }
}

function describeType(type: DataType): string {
  return String(type).toLowerCase();
}
