// Compile the bridge against the PyTorch of a Python, and let it make the training step that `setup` asks of it.
// The installation is written down before that: where the step fails, the checks that follow say more about why.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { bridgeSources, installationFile, stampOf } from '../../../dist/src/backends/installation.js';
import { choiceOf } from '../../../dist/src/backends/resolve.js';
import { findCompiler } from '../../../dist/src/setup/compiler.js';
import { packageOf } from '../../../dist/src/setup/python.js';
import { checkBackend } from '../../../dist/src/setup/self-check.js';
import { torchRecipe } from '../../../dist/src/setup/torch.js';
import { row } from '../row.mjs';

const { values: options } = parseArgs({ options: { device: { type: 'string' }, python: { type: 'string' } } });
const root = process.env.RUN_PIPELINE_BACKENDS;
const compiler = process.env.CXX ?? 'g++';

const signal = AbortSignal.timeout(300_000);
const version = expect(await findCompiler(compiler, signal));
const torch = expect(await packageOf(options.python, torchRecipe, signal));
const began = performance.now();
const bridge = join(root, 'torch/addons/check', torchRecipe.bridgeName);
mkdirSync(dirname(bridge), { recursive: true });
expect(await torchRecipe.compile({ package: torch, output: bridge, compiler, modules: undefined, signal }));
const installation = {
  v: 1,
  backend: 'torch',
  version: torch.version,
  bridge,
  cuda: torch.cuda,
  library: stampOf(torch.library),
  sources: bridgeSources('torch'),
  folder: torch.folder,
  python: options.python,
};
const file = installationFile(root, 'torch');
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, JSON.stringify(installation));
const seconds = Math.round((performance.now() - began) / 1000);
row(
  'bridge',
  torch.cuda || options.device === 'cpu',
  `PyTorch ${torch.version}${torch.cuda ? ' with CUDA' : ', which has no CUDA'}, ${version}, ${seconds} s`,
  { torch: torch.version, compiler: version, seconds },
);

const checked = await checkBackend(choiceOf(installation, options.device === 'cuda', ''), AbortSignal.timeout(60_000));
row('first step', checked.ok, checked.ok ? checked.value : checked.error.message);

function expect(result) {
  if (result.ok) return result.value;
  row('bridge', false, result.error.message);
  process.exit(1);
}
