// This project as a contestant: `--repeat` training steps for every line `step` on stdin, the time of one on stdout.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createBackendResolver } from '../../dist/src/backends/resolve.js';
import { openBackend } from '../../dist/src/backends/select.js';
import { madeUpTraining } from './made-up.mjs';

const sizes = ['hidden', 'layers', 'heads', 'intermediate', 'vocab', 'batch', 'length'];
const { values: options } = parseArgs({
  options: Object.fromEntries(
    [...sizes, 'backend', 'precision', 'device', 'repeat', 'head'].map((name) => [name, { type: 'string' }]),
  ),
});
const repeat = Number(options.repeat);

const root = process.env.RUN_PIPELINE_BACKENDS ?? join(homedir(), '.cache/run-pipeline/backends');
const backend = createBackendResolver({ root, gpus: options.device === 'cuda' ? 1 : 0 })(options.backend);
if (backend.device !== options.device)
  throw new Error(`the ${backend.name} backend that is set up cannot compute on ${options.device}`);
await openBackend(backend, options.precision);
const { parameters, step } = madeUpTraining(Object.fromEntries(sizes.map((name) => [name, Number(options[name])])));

function steps() {
  const [start, busy] = [performance.now(), process.cpuUsage()];
  let loss;
  for (let i = 0; i < repeat; i++) loss = step();
  parameters.get('roberta.embeddings.LayerNorm.bias').dataSync(); // a GPU may still be at the update
  const { user, system } = process.cpuUsage(busy);
  return { ms: (performance.now() - start) / repeat, cpu_ms: (user + system) / 1e3 / repeat, loss };
}

console.log(JSON.stringify({ ready: `run-pipeline on ${backend.name} ${backend.version}, ${backend.device}` }));
for await (const line of createInterface({ input: process.stdin }))
  if (line === 'step') console.log(JSON.stringify(steps()));
