import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, it } from 'vitest';
import { loadContract } from '../../src/arrow/contract.ts';
import { contracts } from '../rig/run-stage.ts';

const read = (path: string): unknown => JSON.parse(readFileSync(join(contracts, path), 'utf8'));
const validate = new Ajv({ allErrors: true, strict: false }).compile(read('../contract.schema.json') as object);
const names = readdirSync(contracts).map((file) => file.replace(/\.json$/, ''));

describe('every contract', () => {
  it.each(names)('%s keeps the format of schemas/contract.schema.json and is named for its file', (name) => {
    const contract = read(`${name}.json`);
    expect(validate(contract), JSON.stringify(validate.errors)).toBe(true);
    expect(contract).toMatchObject({ name, $schema: '../contract.schema.json' });
  });

  it.each(names)('%s takes meta and sizes from columns that it has', (name) => {
    const contract = loadContract(contracts, name);
    if (contract.kind !== 'dataset') return;
    const { fields, meta = [], shard_size: size } = contract;
    const columns = new Map(fields.map((field) => [field.name, field.type]));
    expect(columns.size).toBe(fields.length);
    expect(new Set(meta.map((field) => field.name)).size).toBe(meta.length);
    for (const field of meta.filter(({ from }) => from === 'column'))
      expect([field.name, columns.get(field.name)]).toEqual([field.name, 'utf8']);
    for (const field of meta.filter(({ from }) => from === 'rows')) expect(field.type).toBe('number');
    if (size !== undefined) expect(columns.get(size.column)).toMatch(/^utf8$|^list/);
  });

  it.each([
    ['a column of an unknown type', { fields: [{ name: 'a', type: 'int64', description: 'x' }] }],
    ['meta of an unknown type', { meta: [{ name: 'a', type: 'bool', description: 'x' }] }],
    ['meta from somewhere else', { meta: [{ name: 'a', type: 'utf8', from: 'text', description: 'x' }] }],
    ['meta without a description', { meta: [{ name: 'a', type: 'utf8' }] }],
    ['an unknown property', { colums: [] }],
  ])('the format does not allow %s', (_, change) => {
    expect(validate({ ...(read('documents.json') as object), ...change })).toBe(false);
  });
});
