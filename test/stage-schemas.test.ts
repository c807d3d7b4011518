import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { globSync } from 'tinyglobby';
import { expect, it } from 'vitest';
import { stageSchema } from './rig/stage-schema.ts';

const root = new URL('../', import.meta.url).pathname;
const types = globSync('**/*.schema.json', { cwd: join(root, 'schemas/stages') }).map((file) =>
  file.slice(0, -'.schema.json'.length),
);

const { readSchema } = (await import(join(root, 'scripts/read-schema.mjs'))) as {
  readSchema: (root: string, name: string) => Record<string, unknown>;
};

function schemasOf(files: Record<string, unknown>): string {
  const folder = mkdtempSync(join(tmpdir(), 'schemas-'));
  mkdirSync(join(folder, 'schemas/stages/outer'), { recursive: true });
  for (const [path, content] of Object.entries(files))
    writeFileSync(join(folder, 'schemas', path), JSON.stringify(content));
  return folder;
}

it('the catalogue has every schema, with references to other files resolved', () => {
  expect(types).toContain('pretrain');
  for (const type of types) expect(JSON.stringify(stageSchema(type)), type).not.toContain('$ref');
});

it('what stages inherit has the same type, range and default in all of them', () => {
  const found = new Map<string, Set<string>>();
  for (const type of types)
    for (const [name, property] of Object.entries(stageSchema(type)['properties'] as Record<string, object>)) {
      if (!('x-inherits' in property)) continue;
      const { description: _, ...rest } = property as Record<string, unknown>;
      found.set(name, (found.get(name) ?? new Set()).add(JSON.stringify(Object.entries(rest).sort())));
    }
  expect([...found.keys()].sort()).toEqual(['backend', 'round', 'seed']);
  for (const [name, variants] of found) expect([...variants], name).toHaveLength(1);
  expect(stageSchema('pretrain')).toMatchObject({ properties: { seed: { default: 42 } } });
});

it('a reference takes over a definition, and keywords beside it override that', () => {
  const folder = schemasOf({
    'stages/shared.json': { definitions: { size: { type: 'integer', minimum: 1, default: 2, description: 'Size.' } } },
    'stages/outer/inner.schema.json': {
      properties: {
        size: { $ref: '../shared.json#/definitions/size', default: 3 },
        own: { $ref: '#/definitions/own' },
      },
    },
  });
  expect(readSchema(folder, 'stages/outer/inner')).toEqual({
    properties: {
      size: { type: 'integer', minimum: 1, default: 3, description: 'Size.' },
      own: { $ref: '#/definitions/own' },
    },
  });
});

it('a reference to nothing is an error that names it', () => {
  const folder = schemasOf({
    'stages/shared.json': { definitions: {} },
    'stages/a.schema.json': { properties: { size: { $ref: 'shared.json#/definitions/size' } } },
  });
  expect(() => readSchema(folder, 'stages/a')).toThrow('"shared.json#/definitions/size" does not exist');
});
