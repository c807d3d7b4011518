// Compiles src/ and stages/ to dist/, and writes files there that make runs start fast: catalogue.json, what the
// planner knows about every stage type; validators.js, the schemas compiled; language-model.bin; cli/, the command line
// with its packages in a few files.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { build } from 'esbuild';
import { globSync } from 'tinyglobby';
import { writeLanguageModel } from './language-model.mjs';
import { readSchema } from './read-schema.mjs';
import { implementationOf, readVersions } from './versions.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const require = createRequire(import.meta.url);

rmSync(join(root, 'dist'), { recursive: true, force: true });
const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
execFileSync(process.execPath, [tsc, '-p', join(root, 'tsconfig.build.json')], { stdio: 'inherit' });

const { promisesOf } = await import(pathToFileURL(join(root, 'dist/src/core/stage.js')).href);
const versions = readVersions();
const stageTypes = {};
for (const type of stageTypeNames()) stageTypes[type] = await describe(type);
for (const type of compositeNames()) stageTypes[type] = await describeComposite(type);
const sorted = Object.fromEntries(Object.entries(stageTypes).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync(join(root, 'dist/catalogue.json'), JSON.stringify({ stageTypes: sorted }));
await writeLanguageModel(join(root, 'dist'));
await compileSchemas();
await bundleCommandLine();

/** Folders of stages/ with an index.ts; `deduplicate/minhash-signatures` is a step of the stage type `deduplicate`. */
function stageTypeNames() {
  return globSync('stages/**/index.ts', { cwd: root })
    .map((file) => file.slice('stages/'.length, -'/index.ts'.length))
    .sort();
}

async function describe(type) {
  const module = join('stages', type, 'index.js');
  const path = join(root, 'dist', module);
  const { default: stage } = await import(pathToFileURL(path).href);
  const code = await codeDigest(path);
  return {
    type,
    ...promisesOf(stage),
    config: readSchema(root, `stages/${type}`),
    implementation: implementationOf(type, code, versions),
    code,
    module,
    ...(stage.check ? { checkModule: checkModule(type) } : {}),
  };
}

/** Folders of stages/ with a stage.yaml. */
function compositeNames() {
  return globSync('stages/*/stage.yaml', { cwd: root })
    .map((file) => dirname(file).slice('stages/'.length))
    .sort();
}

async function describeComposite(type) {
  const [{ readRecipe, recipeSchema }, { Problems }, { Contracts }, { valueOf }] = await Promise.all(
    ['recipe', 'problems', 'contracts', 'node'].map(
      (name) => import(pathToFileURL(join(root, `dist/src/pipeline/${name}.js`)).href),
    ),
  );
  const nameOf = (uses) => (uses.startsWith('./') ? `${type}/${uses.slice(2)}` : uses);
  const problems = new Problems();
  const file = join(root, 'stages', type, 'stage.yaml');
  const found = await readRecipe(file, type, undefined, {
    contracts: new Contracts(join(root, 'schemas/contracts')),
    schema: recipeSchema(readSchema(root, 'recipe'), readSchema(root, 'pipeline')),
    problems,
    describe: async (uses) => ({ ok: true, value: stageTypes[nameOf(uses)] }),
  });
  if (found === undefined)
    throw new Error(
      `stages/${type}/stage.yaml: ${problems
        .list()
        .map(({ message }) => message)
        .join('; ')}`,
    );
  return {
    ...found.type,
    config: readSchema(root, `stages/${type}`),
    composition: {
      stages: Object.fromEntries(
        Object.entries(valueOf(found.recipe.stages)).map(([name, step]) => [
          name,
          { ...step, uses: nameOf(step.uses) },
        ]),
      ),
      from: Object.fromEntries([...found.recipe.from].map(([port, all]) => [port, all.map(({ value }) => value)])),
    },
    ...(existsSync(join(root, 'stages', type, 'check.ts')) ? { checkModule: checkModule(type) } : {}),
  };
}

/** dist/validators.js: a function per schema that a pipeline without the user's own stages needs, by its digest. */
async function compileSchemas() {
  const [{ ajvOptions, schemaDigest }, { noConfig }, { stageSchema }, { recipeSchema }] = await Promise.all(
    ['schema', 'config', 'unroll', 'recipe'].map(
      (name) => import(pathToFileURL(join(root, `dist/src/pipeline/${name}.js`)).href),
    ),
  );
  const pipeline = readSchema(root, 'pipeline');
  const schemas = [
    pipeline,
    stageSchema(pipeline),
    recipeSchema(readSchema(root, 'recipe'), pipeline),
    noConfig,
    ...Object.values(stageTypes).map(({ config }) => config),
  ];
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

/** dist/cli/: loading 150 small files takes longer than everything else in a run with nothing to do. */
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
    // Stages and the command line must share the class Failure; setup starts programs that lie next to it; the rest is
    // large and rarely needed.
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

/** Finds a stage's `check`. Every run loads it, so it must not load what only `run` needs. */
function checkModule(type) {
  const module = join('stages', type, 'check.js');
  if (!existsSync(join(root, 'dist', module)))
    throw new Error(`stages/${type} has a check: export it from stages/${type}/check.ts`);
  return module;
}

/** SHA-256 of a stage's module and every project module it reaches, ignoring comments and layout. */
async function codeDigest(path) {
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
