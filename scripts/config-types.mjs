// The TypeScript type of each stage type's config, from its schema.
import { dirname, join } from 'node:path';
import { compile } from 'json-schema-to-typescript';
import { format, resolveConfig } from 'prettier';
import { globSync } from 'tinyglobby';
import { readSchema } from './read-schema.mjs';

/** The text of `stages/<type>/config.ts` for every stage type with code and config properties, by path. */
export async function configTypes(root) {
  const files = {};
  for (const module of globSync('stages/**/index.ts', { cwd: root }).sort()) {
    const type = dirname(module).slice('stages/'.length);
    const schema = readSchema(root, `stages/${type}`);
    const file = `stages/${type}/config.ts`;
    if (Object.keys(schema.properties).length > 0) files[file] = await configType(schema, type, join(root, file));
  }
  return files;
}

async function configType(schema, type, path) {
  const text = await compile(asStagesSee({ ...schema, title: 'Config' }), 'Config', {
    bannerComment: `// Generated from schemas/stages/${type}.schema.json by \`npm run generate\`.`,
    additionalProperties: false,
    ignoreMinAndMaxItems: true,
    strictIndexSignatures: false,
    format: false,
  });
  const unchanging = text.replace(/^(\s*)(?=\w+\??: )/gm, '$1readonly ');
  return format(unchanging, { ...(await resolveConfig(path)), parser: 'typescript' });
}

/** Defaults are filled in before a stage runs. Descriptions stay in the schema: rewording one changes no code. */
function asStagesSee(schema) {
  if (Array.isArray(schema)) return schema.map(asStagesSee);
  if (typeof schema !== 'object' || schema === null) return schema;
  if (schema['x-language']) return { type: 'string' }; // a detector's guess is compared with it, which may be any
  const { description: _, default: __, ...rest } = schema;
  const result = Object.fromEntries(
    Object.entries(rest).map(([key, value]) => [
      key,
      key === 'properties'
        ? Object.fromEntries(Object.entries(value).map(([name, property]) => [name, asStagesSee(property)]))
        : asStagesSee(value),
    ]),
  );
  if (schema.properties === undefined) return result;
  const filled = Object.entries(schema.properties).filter(([, property]) => property.default !== undefined);
  return { ...result, required: [...new Set([...(schema.required ?? []), ...filled.map(([name]) => name)])] };
}
