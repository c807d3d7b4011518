// The corpus stages in one run of the command line, on one core and on two in turns: `npm run build && node
// bench/corpora/chain.mjs [folder] [MB]` (Linux; ROUNDS=2; CLEAN=0 skips cleaning). One core means one: the process and
// all that it starts are bound to it by taskset.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from '../runner/measure.mjs';
import { pipelineOf, stages } from './scale-stages.mjs';
import { writeText } from './scale-text.mjs';

const bin = new URL('../../bin/run-pipeline.js', import.meta.url).pathname;
const [folder = join(tmpdir(), 'run-pipeline-chain'), megabytes = '200'] = process.argv.slice(2);
const project = join(folder, String(process.pid));
mkdirSync(project, { recursive: true });
writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
writeFileSync(join(project, 'p.yaml'), pipelineOf(stages.length));
const { bytes, documents } = writeText(join(project, 'text'), Number(megabytes));
console.log(
  `${machine()}\n\n${(bytes / 1e6).toFixed(0)} MB of text, ${documents.toLocaleString('en')} documents\n\n| ` +
    `cores | s | MB/s |\n| --: | --: | --: |`,
);

const best = { 1: Infinity, 2: Infinity };
for (let round = 0; round < Number(process.env.ROUNDS ?? 2); round++)
  for (const cores of [1, 2]) {
    rmSync(join(project, '.run-pipeline'), { recursive: true, force: true });
    const seconds = await run(cores);
    best[cores] = Math.min(best[cores], seconds);
    console.log(`| ${cores} | ${seconds.toFixed(1)} | ${(bytes / 1e6 / seconds).toFixed(1)} |`);
  }
console.log(`\nTwo cores are ${(best[1] / best[2]).toFixed(2)} times as fast as one.`);
rmSync(project, { recursive: true });

/** Wall seconds of a run from an empty store. */
function run(cores) {
  const began = performance.now();
  const child = spawn(
    'taskset',
    ['--cpu-list', cores === 1 ? '0' : '0-1', process.execPath, bin, 'p.yaml', '-j', String(cores)],
    { cwd: project, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  return new Promise((resolve, reject) =>
    child
      .on('error', reject)
      .on('exit', (code) =>
        code === 0 ? resolve((performance.now() - began) / 1000) : reject(new Error(`the run ended with ${code}`)),
      ),
  );
}
