import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import {
  bridgeSources,
  installationFile,
  readInstallation,
  stampOf,
  tfjsNode,
  type Installable,
  type Installation,
} from '../backends/installation.ts';
import { choiceOf } from '../backends/resolve.ts';
import { canonicalJson } from '../core/artifact.ts';
import { sha256 } from '../core/digest.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { noSpace } from '../core/no-space.ts';
import { err, ok, type Result } from '../core/result.ts';
import { writeAtomic } from '../store/files.ts';
import { acquireLock } from '../store/lock.ts';
import type { Recipe, Package } from './recipe.ts';
import type { Context, SetUpOptions } from './context.ts';
import { findCompiler } from './compiler.ts';
import { findPackage, namedPackage } from './package.ts';
import { sweepEnvironments } from './python.ts';
import { checkBackend } from './self-check.ts';
import { tensorflowRecipe } from './tensorflow.ts';
import { torchRecipe } from './torch.ts';

const recipes: Readonly<Record<Installable, Recipe>> = { torch: torchRecipe, tensorflow: tensorflowRecipe };

/**
 * Set up a backend: find or install its library, compile the bridge to it, test it, and record the result. The result
 * of each step appears in one rename under its own name, and `installation.json` last: an interrupted setup resumes
 * where it stopped, and an incomplete one is never used.
 */
export async function setUp(options: SetUpOptions): Promise<Result<Installation, Diagnostic>> {
  const { backend, root, signal } = options;
  if (process.platform !== 'linux')
    return err({
      code: 'unsupported-platform',
      message: `setup works on Linux; this is ${process.platform}.`,
      help: 'Use `backend: wasm`, which needs no setup, or run in a Linux container.',
    });
  const folder = join(root, backend);
  try {
    return await setUpAlone(options, folder);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined || signal.aborted) throw error;
    return err(
      noSpace(error) ?? {
        code: 'backends-unusable',
        message: `${folder} is not writable: ${message}.`,
        help: 'Fix its permissions, or set RUN_PIPELINE_BACKENDS to another folder.',
      },
    );
  }
}

async function setUpAlone(options: SetUpOptions, folder: string): Promise<Result<Installation, Diagnostic>> {
  const { backend, force, signal } = options;
  mkdirSync(folder, { recursive: true });
  const lock = await acquireLock(join(folder, 'lock'), {
    signal,
    onWait: ({ pid }) => {
      options.say({ name: 'machine', done: false, text: `waiting for the setup in process ${pid}` });
    },
  });
  try {
    for (const name of readdirSync(folder))
      if (force ? name !== 'lock' : name.startsWith('draft-'))
        rmSync(join(folder, name), { recursive: true, force: true });
    const scratch = mkdtempSync(join(folder, 'draft-'));
    try {
      return await setUpLocked({ ...options, recipe: recipes[backend], home: folder, scratch });
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  } finally {
    await lock.release();
  }
}

async function setUpLocked(context: Context): Promise<Result<Installation, Diagnostic>> {
  const { backend, root, home, recipe, say, signal } = context;
  const named = await namedPackage(context);
  if (named?.ok === false) return named;
  const wantsCuda = context.gpus > 0;
  const existing = readInstallation(root, backend);
  if (
    existing.ok &&
    (named === undefined ? existing.value.cuda || !wantsCuda : existing.value.folder === named.value.folder)
  ) {
    say({ name: 'check', done: true, text: `${backend} ${existing.value.version} is already set up in ${home}` });
    return existing;
  }
  say({
    name: 'machine',
    done: true,
    text: wantsCuda
      ? `${context.gpus} NVIDIA ${context.gpus === 1 ? 'GPU' : 'GPUs'}: with CUDA`
      : 'no NVIDIA GPU: for the CPU',
  });

  const compiler = await findCompiler(context.compiler, signal);
  if (!compiler.ok) return compiler;
  say({ name: 'compiler', done: true, text: compiler.value });

  const found = named ?? (await findPackage(context, wantsCuda));
  if (!found.ok) return found;
  say({
    name: 'package',
    done: true,
    text: `${recipe.title} ${found.value.version}${found.value.cuda ? ' with CUDA' : ''} in ${found.value.folder}`,
  });

  const modules = recipe.fetchModules === undefined ? ok(undefined) : await fetchModules(context, recipe.fetchModules);
  if (!modules.ok) return modules;

  const bridge = await compile(context, found.value, modules.value);
  if (!bridge.ok) return bridge;

  const { library, python, ...rest } = found.value;
  const installation: Installation = {
    v: 1,
    backend,
    version: rest.version,
    bridge: bridge.value,
    ...(modules.value === undefined ? {} : { modules: modules.value }),
    cuda: rest.cuda,
    library: stampOf(library),
    sources: bridgeSources(backend),
    folder: rest.folder,
    ...(python === undefined ? {} : { python }),
  };
  const choice = choiceOf(installation, wantsCuda, '');
  say({ name: 'check', done: false, text: `one training step of a tiny model on ${choice.device}` });
  const checked = await checkBackend(choice, signal);
  if (!checked.ok) return checked;
  say({ name: 'check', done: true, text: `one AdamW step of a tiny model on ${choice.device}: ${checked.value}` });

  writeAtomic(installationFile(root, backend), `${JSON.stringify(installation, null, 2)}\n`, context.scratch);
  sweepEnvironments(home, python ?? rest.folder);
  for (const name of readdirSync(join(home, compiledFolder)))
    if (!bridge.value.startsWith(join(home, compiledFolder, name, '/')))
      rmSync(join(home, compiledFolder, name), { recursive: true, force: true });
  return ok(installation);
}

async function fetchModules(
  { home, scratch, say, signal }: Context,
  fetch: NonNullable<Recipe['fetchModules']>,
): Promise<Result<string, Diagnostic>> {
  const fetched = await fetch(join(home, `npm/${tfjsNode.name}-${tfjsNode.version}`), scratch, signal);
  if (fetched.ok)
    say({ name: 'modules', done: true, text: `${tfjsNode.name} ${tfjsNode.version} in ${fetched.value}` });
  return fetched;
}

/** Folder of a backend's compiled bridges. The name is from when bridges were called addons. */
const compiledFolder = 'addons';

/** Compile into a folder named after everything the bridge depends on, so that an existing result is always valid. */
async function compile(
  { backend, recipe, home, scratch, compiler, say, signal }: Context,
  found: Package,
  modules: string | undefined,
): Promise<Result<string, Diagnostic>> {
  const inputs = canonicalJson({
    library: stampOf(found.library),
    sources: bridgeSources(backend),
    compiler,
    arch: process.arch,
  });
  const bridge = join(home, compiledFolder, sha256(inputs).slice(0, 16), recipe.bridgeName);
  if (existsSync(bridge)) {
    say({ name: 'bridge', done: true, text: `already compiled, ${bridge}` });
    return ok(bridge);
  }
  say({ name: 'bridge', done: false, text: 'compiling the bridge' });
  const began = performance.now();
  const draft = join(scratch, recipe.bridgeName);
  const compiled = await recipe.compile({ package: found, compiler, output: draft, modules, signal });
  if (!compiled.ok) return compiled;
  mkdirSync(dirname(bridge), { recursive: true });
  renameSync(draft, bridge);
  say({
    name: 'bridge',
    done: true,
    text: `compiled in ${Math.round((performance.now() - began) / 1000)} s, ${bridge}`,
  });
  return ok(bridge);
}
