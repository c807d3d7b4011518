// Schemas as tools read them: what `$ref`s to other files stand for is put in their place, so nobody else resolves them.
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** `schemas/<name>.schema.json`. */
export function readSchema(root, name) {
  const file = join(root, 'schemas', `${name}.schema.json`);
  return inlined(readJson(file), file);
}

/** Keywords beside a `$ref` override those of the definition, so that a stage has its own default or description. */
function inlined(schema, file) {
  if (Array.isArray(schema)) return schema.map((item) => inlined(item, file));
  if (typeof schema !== 'object' || schema === null) return schema;
  const { $ref, ...own } = schema;
  const rest = Object.fromEntries(Object.entries(own).map(([key, value]) => [key, inlined(value, file)]));
  if ($ref === undefined) return rest;
  if ($ref.startsWith('#')) return { $ref, ...rest };
  const [path, pointer] = $ref.split('#/');
  const target = join(dirname(file), path);
  const definition = pointer.split('/').reduce((value, key) => value?.[key], readJson(target));
  if (definition === undefined) throw new Error(`${file}: "${$ref}" does not exist`);
  return { ...inlined(definition, target), ...rest };
}

const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
