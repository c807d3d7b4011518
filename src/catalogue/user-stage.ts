import { existsSync, statSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildOptions, Message, OnResolveArgs, OnResolveResult, PluginBuild } from 'esbuild';
import type { Digest } from '../core/artifact.ts';
import { fail } from '../core/diagnostic.ts';
import { sha256 } from '../core/digest.ts';
import type { StageDescription } from '../core/pipeline.ts';
import { promisesOf, type StageType } from '../core/stage.ts';
import { readJson, writeAtomic } from '../store/files.ts';

export interface UserStageOptions {
  /** Name in the pipeline; becomes the type's name. */
  readonly type: string;
  readonly cache: string;
  /** What `import 'run-pipeline'` means. */
  readonly framework: string;
}

interface Memo {
  /** Files it was built from, with their identity at that time. */
  readonly inputs: readonly (readonly [path: string, identity: string])[];
  readonly description: Omit<StageDescription, 'type'>;
}

/**
 * A stage type in a user's own TypeScript or JavaScript file: bundled, so that no build step is needed and its digest
 * covers what it imports from the user's folder; packages are imported from where the user's file finds them.
 */
export async function describeUserStage(
  file: string,
  { type, cache, framework }: UserStageOptions,
): Promise<StageDescription> {
  if (!existsSync(file))
    fail('unknown-stage', `file not found: ${file}`, 'Paths in `uses:` are relative to the pipeline file.');
  const memoFile = join(cache, `${sha256(`${file}\n${framework}`)}.json`);
  const memo = readJson(memoFile) as Memo | undefined;
  if (
    memo !== undefined &&
    existsSync(memo.description.module) &&
    memo.inputs.every(([path, identity]) => identityOf(path) === identity)
  )
    return { type, ...memo.description };

  const { inputs, code, implementation } = await bundle(file, framework);
  const identities = inputs.map((path): [string, string] => [path, identityOf(path)]);
  const module = join(cache, `${sha256(code)}.mjs`);
  if (!existsSync(module)) writeAtomic(module, code, join(cache, 'temporary'));
  const description = { ...(await describe(file, module)), implementation, module };
  writeAtomic(memoFile, JSON.stringify({ inputs: identities, description } satisfies Memo), join(cache, 'temporary'));
  return { type, ...description };
}

async function bundle(
  file: string,
  framework: string,
): Promise<{ inputs: string[]; code: string; implementation: Digest }> {
  const { build } = await import('esbuild');
  const folder = dirname(file);
  try {
    const runnable = await build({
      ...common(file),
      metafile: true,
      plugins: [
        {
          name: 'packages',
          setup: (setup) =>
            setup.onResolve({ filter: /^[^./]/ }, (request) => externalPackage(setup, request, framework)),
        },
      ],
    });
    // Its digest ignores comments, layout and locations.
    const portable = await build({
      ...common(file),
      packages: 'external',
      minifyWhitespace: true,
      legalComments: 'none',
    });
    return {
      inputs: Object.keys(runnable.metafile.inputs).map((path) => resolve(folder, path)),
      code: runnable.outputFiles[0]?.text ?? '',
      implementation: sha256(portable.outputFiles[0]?.contents ?? ''),
    };
  } catch (error) {
    const [first] = (error as { errors?: Message[] }).errors ?? [];
    if (first === undefined) throw error;
    const place = first.location
      ? `${resolve(folder, first.location.file)}:${first.location.line}:${first.location.column + 1}`
      : file;
    return fail('user-stage-broken', `${place}: ${first.text}`, 'Fix the stage and run again.');
  }
}

function common(file: string) {
  return {
    entryPoints: [file] as string[],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'silent',
    absWorkingDir: dirname(file),
  } as const satisfies BuildOptions;
}

/** The bundle is in the store, but a package must still be found from the user's folder. */
async function externalPackage(
  setup: PluginBuild,
  { path, kind, importer, resolveDir, pluginData }: OnResolveArgs,
  framework: string,
): Promise<OnResolveResult | null> {
  if (kind === 'entry-point' || pluginData === asked) return null;
  if (path === 'run-pipeline') return { path: pathToFileURL(framework).href, external: true };
  if (isBuiltin(path)) return { path, external: true };
  const found = await setup.resolve(path, { kind, importer, resolveDir, pluginData: asked });
  if (found.errors.length > 0) return { errors: found.errors };
  return { path: pathToFileURL(found.path).href, external: true };
}

const asked = Symbol('asked');

async function describe(
  file: string,
  module: string,
): Promise<Omit<StageDescription, 'type' | 'implementation' | 'module'>> {
  let stage: Partial<StageType> | undefined;
  try {
    stage = ((await import(pathToFileURL(module).href)) as { default?: StageType }).default;
  } catch (cause) {
    return fail(
      'user-stage-broken',
      `${file} cannot be loaded: ${(cause as Error).message}`,
      'Fix the stage and run again.',
      cause,
    );
  }
  if (typeof stage?.run !== 'function' || stage.outputs === undefined)
    return fail(
      'user-stage-broken',
      `the default export of ${file} is not a stage`,
      'Write `export default defineStage({ description, inputs, outputs, run })`.',
    );
  return {
    ...promisesOf({
      ...stage,
      description: stage.description ?? '',
      inputs: stage.inputs ?? {},
      outputs: stage.outputs,
    }),
    config: stage.config ?? { type: 'object', additionalProperties: false, properties: {} },
    ...(typeof stage.check === 'function' ? { checkModule: module } : {}),
  };
}

function identityOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? 'missing' : `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
}
