import { createHash } from 'node:crypto';
import {
  createReadStream,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract } from 'tar-stream';
import { tfjsNode } from '../backends/installation.ts';
import type { Diagnostic } from '../core/diagnostic.ts';
import { err, ok, type Result } from '../core/result.ts';
import { readText } from '../store/files.ts';
import { unusable, type Recipe } from './recipe.ts';
import { lastLines, runCommand } from './command.ts';
import { compileWith } from './compiler.ts';

const require = createRequire(import.meta.url);
const libraries = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/**
 * tfjs-node-gpu's binding over the TensorFlow that pip installs: its C API is the one that the binding was written for.
 */
export const tensorflowRecipe: Recipe = {
  backend: 'tensorflow',
  title: 'TensorFlow',
  module: 'tensorflow',
  pythons: [10, 13],
  versions: [16, 21],
  bridgeName: 'tfjs_binding.node',
  requirement: (cuda) =>
    cuda ? 'tensorflow[and-cuda]==2.21.0' : `${process.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow'}==2.21.0`,
  pipArguments: () => [],

  async inspect(folder) {
    const missing = ['include', ...libraries].find((name) => !existsSync(join(folder, name)));
    if (missing !== undefined) return err(unusable(this.title, folder, `it does not contain ${missing}`));
    const version = versionOf(folder);
    if (version === undefined)
      return err(
        unusable(this.title, folder, 'neither a dist-info folder next to it nor its headers give its version'),
      );
    return ok({
      folder,
      version,
      cuda: /'is_cuda_build', True/.test(readText(join(folder, 'python/platform/build_info.py')) ?? ''),
      library: join(folder, libraries[0] as string),
    });
  },

  fetchModules: fetchTfjsNode,

  compile({ compiler, output, modules = '', package: { folder }, signal }) {
    const napi = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
    const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(modules, 'binding', name));
    const link = [...libraries.map((name) => join(folder, name)), `-Wl,-rpath,${folder}`];
    return compileWith(
      compiler,
      [
        '-shared',
        '-fPIC',
        '-std=c++17',
        '-O2',
        '-DNAPI_VERSION=8',
        `-I${napi}`,
        `-I${join(folder, 'include')}`,
        ...sources,
        '-o',
        output,
        ...link,
      ],
      signal,
    );
  },
};

/** From pip's record next to the folder, or from the headers of older releases. */
function versionOf(folder: string): string | undefined {
  for (const name of readdirSync(dirname(folder))) {
    const version =
      /^(?:tensorflow|tensorflow_cpu|tensorflow_cpu_aws|tensorflow_gpu|tf_nightly|tf_nightly_cpu)-(\d[^-]*)\.dist-info$/.exec(
        name,
      )?.[1];
    if (version !== undefined) return version;
  }
  const header = readText(join(folder, 'include/tensorflow/core/public/version.h')) ?? '';
  const parts = ['MAJOR', 'MINOR', 'PATCH'].map(
    (part) => new RegExp(`define TF_${part}_VERSION\\s+(\\d+)`).exec(header)?.[1],
  );
  return parts.includes(undefined) ? undefined : parts.join('.');
}

/** SHA-512 of the package on npm. */
const integrity = 'p//NN6DGiN4hInUmIkRffaFVMcdTREUMjPyjW04J7OXvB2zBlQimj61eFKSgRrH3f5TnOfKzb0n56he/B6a4bw==';

/**
 * Put the package into `target` atomically: the project's own copy, if it has installed this optional peer, or npm's.
 * Its install script, which downloads a TensorFlow of 2022, does not run, and its dependencies are not installed.
 */
async function fetchTfjsNode(
  target: string,
  scratch: string,
  signal: AbortSignal,
): Promise<Result<string, Diagnostic>> {
  if (existsSync(target)) return ok(target);
  const folder = join(scratch, 'package');
  const peer = installedPeer();
  if (peer === undefined) {
    const problem = await download(scratch, signal);
    if (problem !== undefined) return err(problem);
  } else
    cpSync(peer, folder, {
      recursive: true,
      filter: (path) => !path.slice(peer.length).includes(`${sep}node_modules`),
    });
  // Its dependencies are replaced when it is loaded; these stubs only make their names resolve.
  for (const name of ['tfjs', 'tfjs-core']) {
    const stub = join(folder, 'node_modules/@tensorflow', name);
    mkdirSync(stub, { recursive: true });
    writeFileSync(join(stub, 'index.js'), `throw new Error('only run-pipeline loads this package');\n`);
  }
  mkdirSync(dirname(target), { recursive: true });
  renameSync(folder, target);
  return ok(target);
}

function installedPeer(): string | undefined {
  try {
    const manifest = require.resolve(`${tfjsNode.name}/package.json`);
    return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version === tfjsNode.version
      ? dirname(manifest)
      : undefined;
  } catch {
    return undefined;
  }
}

async function download(into: string, signal: AbortSignal): Promise<Diagnostic | undefined> {
  const wanted = `${tfjsNode.name}@${tfjsNode.version}`;
  const { code, missing, output, stdout } = await runCommand(
    'npm',
    ['pack', wanted, '--ignore-scripts', '--silent', '--pack-destination', into],
    { signal, cwd: into },
  );
  if (code !== 0) {
    return missing
      ? {
          code: 'npm-missing',
          message: `npm was not found; setup needs it to download ${wanted}.`,
          help:
            'Install npm, or put the package into the project with your package manager, without its install ' +
            'script.',
        }
      : {
          code: 'no-network',
          message: `npm could not download ${wanted}:\n${lastLines(output)}`,
          help:
            'Check the network and the npm registry (npm config get registry), then run setup again; finished ' +
            'downloads are kept.',
        };
  }
  const archive = join(into, stdout.trim().split('\n').at(-1) ?? '');
  const found = createHash('sha512').update(readFileSync(archive)).digest('base64');
  if (found !== integrity)
    return {
      code: 'package-damaged',
      message: `${wanted} is not the package that this version expects: its SHA-512 is ${found}.`,
      help: 'Check which registry npm uses (npm config get registry).',
    };
  await unpack(archive, into);
  return undefined;
}

async function unpack(archive: string, into: string): Promise<void> {
  const files = extract();
  const reading = pipeline(createReadStream(archive), createGunzip(), files);
  for await (const entry of files) {
    const path = join(into, entry.header.name);
    const chunks: Uint8Array[] = [];
    for await (const chunk of entry) chunks.push(chunk as Uint8Array);
    if (entry.header.type !== 'file' || !path.startsWith(`${into}${sep}`)) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.concat(chunks));
  }
  await reading;
}
