import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = new URL('../../', import.meta.url).pathname;

/** The config schema of a stage type, as the build put it into the catalogue: `$ref`s are resolved. */
export function stageSchema(type: string): Record<string, unknown> {
  const { stageTypes } = JSON.parse(readFileSync(join(root, 'dist/catalogue.json'), 'utf8')) as {
    stageTypes: Record<string, { config: Record<string, unknown> } | undefined>;
  };
  const stage = stageTypes[type];
  if (stage === undefined) throw new Error(`dist/catalogue.json has no stage type ${type}: run npm run build`);
  return stage.config;
}
