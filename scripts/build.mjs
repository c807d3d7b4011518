// Compiles src/ and stages/ to dist/, and writes there what makes runs start fast: catalogue.json, what the planner
// knows of every stage type; validators.js, the schemas compiled; language-model.bin; cli/, the command line with its
// packages in a few files.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { writeLanguageModel } from './language-model.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });

const { promisesOf } = await import(pathToFileURL(join(root, 'dist/src/core/stage.js')).href);
const catalogue = {};
for (const type of readdirSync(join(root, 'stages')).sort()) {
  const module = join('stages', type, 'index.js');
  const path = join(root, 'dist', module);
  if (!existsSync(path)) continue;
  const schema = JSON.parse(readFileSync(join(root, 'schemas/stages', `${type}.schema.json`), 'utf8'));
  const { default: stage } = await import(pathToFileURL(path).href);
  catalogue[type] = {
    type,
    ...promisesOf(stage),
    config: schema,
    implementation: await implementationDigest(path),
    module,
    ...(stage.check ? { checkModule: checkModule(type) } : {}),
  };
}
writeFileSync(join(root, 'dist/catalogue.json'), JSON.stringify(catalogue));
await writeLanguageModel(join(root, 'dist'));
await compileSchemas();
await bundleCommandLine();

/**
 * dist/validators.js: a function for each schema that a pipeline without stages of the user's own needs, by its digest.
 */
async function compileSchemas() {
  const [{ ajvOptions, schemaDigest }, { noConfig }, { stageSchema }] = await Promise.all(
    ['schema', 'config', 'load-pipeline'].map(
      (name) => import(pathToFileURL(join(root, `dist/src/pipeline/${name}.js`)).href),
    ),
  );
  const pipeline = JSON.parse(readFileSync(join(root, 'schemas/pipeline.schema.json'), 'utf8'));
  const schemas = [pipeline, stageSchema(pipeline), noConfig, ...Object.values(catalogue).map(({ config }) => config)];
  const ajv = new Ajv({ ...ajvOptions, code: { source: true, esm: true } });
  const exported = schemas.map(({ $schema: _, $id: __, ...body }, index) => {
    ajv.addSchema(body, `schema${index}`);
    return [`check${index}`, `schema${index}`];
  });
  const byDigest = schemas.map((schema, index) => `${JSON.stringify(schemaDigest(schema))}: check${index}`);
  const contents =
    `${standalone.default(ajv, Object.fromEntries(exported))}\nexport const validators = { ${byDigest.join(', ')} ` +
    '};';
  await build({
    stdin: { contents, resolveDir: root },
    outfile: join(root, 'dist/validators.js'),
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
}

/** dist/cli/: loading 150 small files takes longer than all else in a run that has nothing to do. */
async function bundleCommandLine() {
  await build({
    entryPoints: [join(root, 'dist/src/cli/main.js')],
    outdir: join(root, 'dist/cli'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
    // Stages and the command line must agree on what a Failure is; setup starts programs beside itself; the rest is
    // large and seldom needed.
    external: [
      join(root, 'dist/src/core/diagnostic.js'),
      join(root, 'dist/src/setup/set-up.js'),
      '@tensorflow/*',
      'ajv',
      'esbuild',
    ],
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
  });
}

/** Where a stage's `check` is: every run loads it, so it must not bring along what only `run` needs. */
function checkModule(type) {
  const module = join('stages', type, 'check.js');
  if (!existsSync(join(root, 'dist', module)))
    throw new Error(`stages/${type} has a check: export it from stages/${type}/check.ts`);
  return module;
}

/** SHA-256 over a stage's module and every project module it reaches, without comments and layout. */
async function implementationDigest(path) {
  const { outputFiles } = await build({
    entryPoints: [path],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'silent',
  });
  return createHash('sha256').update(outputFiles[0].contents).digest('hex');
}
