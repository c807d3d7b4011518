import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../core/package-root.ts';
import { err, ok, type Result } from '../core/result.ts';

/** The backends that `run-pipeline setup` sets up. */
export const installable = ['torch', 'tensorflow'] as const;
export type Installable = (typeof installable)[number];

/** `<backends>/<backend>/installation.json`: the result of setup, written last. */
export interface Installation {
  readonly v: 1;
  readonly backend: Installable;
  /** Of PyTorch or TensorFlow. */
  readonly version: string;
  /** The compiled bridge. */
  readonly bridge: string;
  /** Folder of the npm package that drives the bridge; the torch backend has none, its JavaScript is ours. */
  readonly modules?: string;
  /** Whether the libraries can compute on NVIDIA GPUs. */
  readonly cuda: boolean;
  /** The library that the bridge is linked against, as it was then. */
  readonly library: FileStamp;
  /** Digest of what the bridge was compiled from. */
  readonly sources: string;
  /** The folder of the package, and the Python it was found with. */
  readonly folder: string;
  readonly python?: string;
}

export interface FileStamp {
  readonly path: string;
  readonly bytes: number;
  readonly mtimeMs: number;
}

export function stampOf(path: string): FileStamp {
  const { size, mtimeMs } = statSync(path);
  return { path, bytes: size, mtimeMs };
}

export function installationFile(root: string, backend: Installable): string {
  return join(root, backend, 'installation.json');
}

/** The installation of a backend if it can be used; otherwise the reason, as the end of "torch …". */
export function readInstallation(root: string, backend: Installable): Result<Installation, string> {
  let text: string;
  try {
    text = readFileSync(installationFile(root, backend), 'utf8');
  } catch {
    return err('is not set up');
  }
  const installation = parse(text);
  if (installation?.backend !== backend) return err('was set up by another version of run-pipeline');
  const { bridge, modules, library, sources } = installation;
  for (const path of [bridge, library.path, ...(modules === undefined ? [] : [modules])])
    if (statSync(path, { throwIfNoEntry: false }) === undefined) return err(`was set up, but ${path} is gone`);
  const now = stampOf(library.path);
  if (now.bytes !== library.bytes || now.mtimeMs !== library.mtimeMs)
    return err(`was set up, but ${library.path} has changed since`);
  if (sources !== bridgeSources(backend)) return err('was set up for another version of its bridge');
  return ok(installation);
}

function parse(text: string): Installation | undefined {
  try {
    // What was set up when bridges were called addons stays good.
    const { addon, ...value } = JSON.parse(text) as Installation & { readonly addon?: string };
    const bridge = value.bridge ?? addon;
    return value.v === 1 && typeof bridge === 'string' && typeof value.library?.path === 'string'
      ? { ...value, bridge }
      : undefined;
  } catch {
    return undefined;
  }
}

/** The release of tfjs-node-gpu whose binding is compiled: the one that goes with our tfjs-core. */
export const tfjsNode = { name: '@tensorflow/tfjs-node-gpu', version: '4.22.0' } as const;

/** Folder of the torch bridge's C++ sources, which the published package carries beside `dist/`. */
export function torchSources(): string {
  return join(packageRoot, 'src/backends/torch/native');
}

/** Digest of the sources that a backend's bridge is compiled from, so that one compiled from others is not used. */
export function bridgeSources(backend: Installable): string {
  if (backend === 'tensorflow') return `${tfjsNode.name}@${tfjsNode.version}`;
  return digestOfSources(torchSources());
}

/** SHA-256 of the C++ in a folder, without its comments. */
export function digestOfSources(folder: string): string {
  const digest = createHash('sha256');
  for (const name of readdirSync(folder).sort())
    digest.update(`${name}\n`).update(withoutComments(readFileSync(join(folder, name), 'utf8')));
  return digest.digest('hex');
}

/** C++ as the compiler sees it, nearly: a reworded comment must neither compile the bridge nor run a training again. */
function withoutComments(code: string): string {
  return code
    .replaceAll(/\/\*[^]*?\*\/|\/\/.*/g, '')
    .replaceAll(/[ \t]+$/gm, '')
    .replaceAll(/\n{2,}/g, '\n');
}
