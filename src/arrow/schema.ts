import { Bool, Field, Float32, Float64, Int32, List, Schema, Uint16, Uint32, Utf8, type DataType } from 'apache-arrow';
import type { ContractField, FieldType } from './contract.ts';

/** The Arrow schema of the named columns, in the contract's order. Columns are never null. */
export function arrowSchema(fields: readonly ContractField[]): Schema {
  return new Schema(fields.map((field) => new Field(field.name, arrowType(field.type), false)));
}

/** How a shard's schema violates the contract, or `undefined` when it does not. Extra columns are allowed. */
export function schemaMismatch(schema: Schema, fields: readonly ContractField[]): string | undefined {
  for (const field of fields) {
    const found = schema.fields.find((other) => other.name === field.name);
    if (!found && !field.optional) return `column "${field.name}" (${field.type}) is missing`;
    if (found && describeType(found.type) !== field.type)
      return `column "${field.name}" is ${describeType(found.type)}, not ${field.type}`;
  }
  return undefined;
}

function arrowType(type: FieldType): DataType {
  switch (type) {
    case 'utf8':
      return new Utf8();
    case 'bool':
      return new Bool();
    case 'int32':
      return new Int32();
    case 'uint32':
      return new Uint32();
    case 'float32':
      return new Float32();
    case 'float64':
      return new Float64();
    case 'list<uint16>':
      return new List(new Field('item', new Uint16(), false));
    case 'list<uint32>':
      return new List(new Field('item', new Uint32(), false));
  }
}

function describeType(type: DataType): string {
  return String(type).toLowerCase();
}
