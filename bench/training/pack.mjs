// An archive of what bench.mjs takes to a machine with a GPU and no network: this Node, the built project, the packages
// that
// a training step, setup and the bench load. node bench/training/pack.mjs [archive]
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const archive = resolve(process.argv[2] ?? 'run-pipeline-bench.tar.xz');
const project = fileURLToPath(new URL('../..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'pack-'));
const root = join(scratch, 'run-pipeline-bench');

for (const path of ['package.json', 'bin', 'dist', 'src/backends/torch/native', 'bench/training'])
  copy(join(project, path), join(root, path));
copy(process.execPath, join(root, 'node'));
const packed = new Set();
for (const name of [
  'commander',
  'picocolors',
  'tar-stream',
  'node-addon-api',
  'node-api-headers',
  '@tensorflow/tfjs-core',
  '@tensorflow/tfjs-backend-wasm',
  '@tensorflow/tfjs-backend-cpu',
])
  pack(name, project);

const made = spawnSync('tar', ['-C', scratch, '-cJf', archive, 'run-pipeline-bench'], {
  stdio: 'inherit',
  env: { ...process.env, XZ_OPT: '-3 -T0' },
});
rmSync(scratch, { recursive: true });
if (made.status !== 0) process.exit(1);
console.log(
  `${archive}, ${(statSync(archive).size / 2 ** 20).toFixed(0)} MiB. There: tar -xf ${archive.split('/').at(-1)} ` +
    '&& ./run-pipeline-bench/node run-pipeline-bench/bench/training/bench.mjs --device cuda --python python3',
);

/** Copy a package and what it depends on, as Node would find them from `from`. */
function pack(name, from) {
  let folder = join(from, 'node_modules', name);
  for (let at = from; !existsSync(folder) && at !== dirname(at); at = dirname(at))
    folder = join(dirname(at), 'node_modules', name);
  if (packed.has(folder) || !existsSync(folder)) return;
  packed.add(folder);
  copy(folder, join(root, folder.slice(project.length)));
  for (const each of Object.keys(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')).dependencies ?? {}))
    pack(each, folder);
}

function copy(from, to) {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to, {
    recursive: true,
    filter: (path) =>
      !/\.(map|d\.ts|md)$|\/tf-[a-z0-9.-]*(es2017|fesm|min)[a-z0-9.-]*$/.test(path) &&
      !path.slice(from.length).includes('/node_modules'),
  });
}
