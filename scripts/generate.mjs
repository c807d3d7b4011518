// Writes the files generated from the schemas; with --check, fails if a committed file differs.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { configTypes } from './config-types.mjs';
import { mergedSchema } from './merge-schemas.mjs';
import { stageReference } from './stage-reference.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const check = process.argv.includes('--check');
const generated = {
  ...(await configTypes(root)),
  'schemas/pipeline.merged.schema.json': mergedSchema(root),
  'stages/README.md': await stageReference(root),
};

let stale = 0;
for (const [path, text] of Object.entries(generated)) {
  const file = join(root, path);
  const current = existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  if (current === text) continue;
  stale++;
  if (check) console.error(`${path} is out of date: run \`npm run generate\` and commit it.`);
  else {
    writeFileSync(file, text);
    console.log(`wrote ${path}`);
  }
}
if (check && stale > 0) process.exit(1);
