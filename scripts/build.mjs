// Compiles src/ and stages/ to dist/ and writes dist/catalogue.json: what the planner knows of every stage type.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });

const catalogue = {};
for (const type of readdirSync(join(root, 'stages')).sort()) {
  const module = join('stages', type, 'index.js');
  const path = join(root, 'dist', module);
  if (!existsSync(path)) continue;
  const schema = JSON.parse(readFileSync(join(root, 'schemas/stages', `${type}.schema.json`), 'utf8'));
  const { default: stage } = await import(pathToFileURL(path).href);
  catalogue[type] = {
    type,
    description: stage.description,
    inputs: stage.inputs,
    outputs: stage.outputs,
    ...(stage.map ? { map: stage.map } : {}),
    config: schema,
    implementation: await implementationDigest(path),
    module,
    ...(stage.check ? { checkModule: checkModule(type) } : {}),
  };
}
writeFileSync(join(root, 'dist/catalogue.json'), JSON.stringify(catalogue));

/** Where a stage's `check` is: every run loads it, so it must not bring along what only `run` needs. */
function checkModule(type) {
  const module = join('stages', type, 'check.js');
  if (!existsSync(join(root, 'dist', module))) throw new Error(`stages/${type} has a check: export it from stages/${type}/check.ts`);
  return module;
}

/** SHA-256 over a stage's module and every project module it reaches, without comments and layout. */
async function implementationDigest(path) {
  const { outputFiles } = await build({
    entryPoints: [path], bundle: true, write: false, format: 'esm', platform: 'node', packages: 'external',
    minifyWhitespace: true, legalComments: 'none', logLevel: 'silent',
  });
  return createHash('sha256').update(outputFiles[0].contents).digest('hex');
}
