// An archive of all that check.py needs on a machine with a GPU, no network and no Node: this Node, the built project,
// its packages, the bridge's sources, the samples and the checks. npm run build && node bench/gpu/pack.mjs [archive]
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** What a machine may be sent, its working tree included, is 64 MiB. */
const largestMiB = 60;
const project = fileURLToPath(new URL('../..', import.meta.url));
const archive = resolve(process.argv[2] ?? join(project, 'bench/gpu/gpu-check.tar.xz'));
const files = [
  'package.json',
  'bin',
  'dist',
  'schemas',
  'pipelines',
  'samples',
  'src/backends/torch/native',
  'bench/training',
  'bench/gpu',
  'test/conformance/transformers_oracle.py',
];
/** It compiles stages of the user's own, of which there are none here. */
const unneeded = ['esbuild'];
/** Builds of packages that Node does not load, types, and what is there to be read. */
const left = /\.(map|ts|mts|md|markdown|tar\.xz)$|\/tf-[a-z0-9.-]*(es2017|fesm|min)[a-z0-9.-]*$|tfjs-[a-z]+\/src$/;

if (!existsSync(join(project, 'dist/cli/main.js'))) throw new Error('dist/ does not exist: run npm run build first');
const scratch = mkdtempSync(join(tmpdir(), 'gpu-check-'));
try {
  const root = join(scratch, 'gpu-check');
  for (const path of files) copy(join(project, path), join(root, path));
  copy(process.execPath, join(root, 'node'));
  const { dependencies } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8'));
  for (const folder of packages(Object.keys(dependencies).filter((name) => !unneeded.includes(name))))
    copy(folder, join(root, relative(project, folder)));
  await bundleSteps(join(root, 'bench/gpu/steps'));

  const { status } = spawnSync('tar', ['-C', scratch, '-cJf', archive, 'gpu-check'], {
    stdio: 'inherit',
    env: { ...process.env, XZ_OPT: '-1 -T0' },
  });
  if (status !== 0) throw new Error('tar could not make the archive');
} finally {
  rmSync(scratch, { recursive: true });
}
const size = statSync(archive).size / 2 ** 20;
console.log(`${archive}, ${size.toFixed(1)} MiB. There: python3 bench/gpu/check.py ${archive}`);
if (size > largestMiB) throw new Error(`it is larger than ${largestMiB} MiB`);

/** Steps in TypeScript, each with the modules of src/ and test/ that it shares with the tests, as one file for Node. */
async function bundleSteps(outdir) {
  const steps = join(project, 'bench/gpu/steps');
  await build({
    entryPoints: readdirSync(steps)
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(steps, name)),
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'warning',
  });
}

/** Folders of packages and of what they depend on, as Node finds them. */
function packages(names) {
  const found = new Set();
  const add = (name, from) => {
    for (let at = from; at.startsWith(project) || `${at}/` === project; at = dirname(at)) {
      const folder = join(at, 'node_modules', name);
      if (!existsSync(folder)) continue;
      if (found.has(folder)) return;
      found.add(folder);
      const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      for (const each of Object.keys({ ...dependencies, ...optionalDependencies })) add(each, folder);
      return;
    }
  };
  for (const name of names) add(name, project);
  return found;
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, {
    recursive: true,
    filter: (path) => !left.test(path) && !path.slice(from.length).includes('/node_modules'),
  });
}
