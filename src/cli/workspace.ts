import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { err, ok, type Result } from '../core/result.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { packageRoot } from '../core/package-root.ts';
import type { Pipeline } from '../core/pipeline.ts';
import { createCatalogue } from '../catalogue/catalogue.ts';
import { findGpus } from '../executors/local.ts';
import { loadPipeline } from '../pipeline/load-pipeline.ts';
import { usePrebuilt } from '../pipeline/schema.ts';
import { missingSources } from '../plan/sources.ts';
import { createStore, type Store } from '../store/store.ts';
import { createBackendResolver } from '../backends/resolve.ts';

/** Options of every command that works on a pipeline. */
export interface PipelineOptions {
  readonly set?: readonly string[];
  readonly store?: string;
}

/** A loaded pipeline with its folders. */
export interface Workspace {
  readonly pipeline: Pipeline;
  readonly store: Store;
  readonly outputs: string;
}

export const distribution = join(packageRoot, 'dist');
export const contracts = join(packageRoot, 'schemas/contracts');

export function openCatalogue(storeRoot: string): ReturnType<typeof createCatalogue> {
  return createCatalogue({ distribution, cache: join(storeRoot, 'user-stages') });
}

/** Find and load a pipeline: `./pretrain.yaml`, then `./pipelines/pretrain.yaml`. */
export async function openWorkspace(
  name: string | undefined,
  options: PipelineOptions,
): Promise<Result<Workspace, readonly Diagnostic[]>> {
  const file = findPipeline(name);
  if (!file.ok) return err([file.error]);
  const project = projectOf(file.value);
  const root = storeRoot(options.store, project);
  usePrebuilt(
    (
      (await import(pathToFileURL(join(distribution, 'validators.js')).href)) as {
        validators: Parameters<typeof usePrebuilt>[0];
      }
    ).validators,
  );
  const pipeline = await loadPipeline({
    file: file.value,
    set: options.set ?? [],
    catalogue: openCatalogue(root),
    contracts,
    resolveBackend: backendResolver(),
  });
  if (!pipeline.ok) return err(pipeline.error);
  return ok({ pipeline: pipeline.value, store: createStore(root), outputs: join(project, 'outputs') });
}

/** The same, but fails if a file that some stage reads is missing. */
export async function openRunnable(
  name: string | undefined,
  options: PipelineOptions,
): Promise<Result<Workspace, readonly Diagnostic[]>> {
  const workspace = await openWorkspace(name, options);
  const missing = workspace.ok ? missingSources(workspace.value.pipeline) : [];
  return missing.length > 0 ? err(missing) : workspace;
}

/** Resolves `backend:` on this machine. */
export function backendResolver(): ReturnType<typeof createBackendResolver> {
  return createBackendResolver({ root: backendsRoot(), gpus: findGpus(process.env).length });
}

/** Where `setup` installs backends: `RUN_PIPELINE_BACKENDS`, or `.cache/run-pipeline/backends` in the home folder. */
export function backendsRoot(): string {
  return resolve(process.env['RUN_PIPELINE_BACKENDS'] ?? join(homedir(), '.cache/run-pipeline/backends'));
}

/** `--store`, then `RUN_PIPELINE_STORE`, then `.run-pipeline/` in the project. */
export function storeRoot(option: string | undefined, project: string): string {
  return resolve(option ?? process.env['RUN_PIPELINE_STORE'] ?? join(project, '.run-pipeline'));
}

/** The nearest parent folder with a package.json or a git checkout; otherwise the file's own folder. */
export function projectOf(file: string): string {
  const folder = dirname(file);
  return (
    nearest(folder, 'package.json') ??
    nearest(folder, '.git') ??
    (basename(folder) === 'pipelines' ? dirname(folder) : folder)
  );
}

function findPipeline(name: string | undefined): Result<string, Diagnostic> {
  const given = name ?? 'pipeline.yaml';
  const candidates = [resolve(given), resolve('pipelines', given)];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return ok(found);
  return err({
    code: 'pipeline-not-found',
    message: `File not found: ${candidates.join(' or ')}.`,
    help: 'Name a pipeline file, or create one with `run-pipeline init`.',
  });
}

function nearest(from: string, name: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, name))) return folder;
    if (dirname(folder) === folder) return undefined;
  }
}
