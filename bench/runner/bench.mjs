// Time of the runner itself: no-op, cold overhead a stage, planning. Beside wireit and turbo, put to the same job, where
// they can do it. Usage: node bench/runner/bench.mjs [sample|trivial|input|plan ...]   (npm run build first)
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync, openSync, writeSync, closeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ours = [process.execPath, join(root, 'bin/run-pipeline.js')];
const runs = 3;

const jobs = { sample, trivial, input, plan };
const wanted = process.argv.slice(2);
for (const [name, job] of Object.entries(jobs)) if (wanted.length === 0 || wanted.includes(name)) job();

/** The sample pipeline, everything cached. */
function sample() {
  const once = time([...ours, 'pretrain.yaml'], root);
  report('sample pipeline, first call here', [once]);
  report('sample pipeline, no-op', repeat(() => time([...ours, 'pretrain.yaml'], root)));
}

/** 1,000 stages that do nothing, in 100 chains of 10. */
function trivial() {
  const folder = project();
  const stages = chains(1000, 10);
  writeFileSync(join(folder, 'p.yaml'), pipelineOf(stages));
  const cold = time([...ours, 'p.yaml'], folder);
  report(`1,000 trivial stages, cold (${(cold / 1000).toFixed(2)} ms a stage)`, [cold]);
  report('1,000 trivial stages, no-op', repeat(() => time([...ours, 'p.yaml'], folder)));

  const wireit = project();
  writeFileSync(join(wireit, 'package.json'), JSON.stringify({
    scripts: Object.fromEntries([['all', 'wireit'], ...stages.map(({ id }) => [id, 'wireit'])]),
    wireit: Object.fromEntries([
      ['all', { dependencies: stages.map(({ id }) => id) }],
      ...stages.map(({ id, needs }) => [id, { command: `echo ${id} > out-${id}`, files: [], output: [`out-${id}`], dependencies: needs }]),
    ]),
  }));
  execFileSync('npm', ['i', '-s', '--no-audit', '--no-fund', 'wireit'], { cwd: wireit });
  const theirs = ['npm', 'run', '-s', 'all'];
  report('1,000 trivial stages, cold: wireit', [time(theirs, wireit)]);
  report('1,000 trivial stages, no-op: wireit', repeat(() => time(theirs, wireit)));
  rmSync(folder, { recursive: true });
  rmSync(wireit, { recursive: true });
}

/** One stage over 4 GiB of input that did not change. */
function input() {
  const folder = project();
  mkdirSync(join(folder, 'data'));
  const block = Buffer.alloc(64 << 20, 'all work and no play ');
  for (let file = 0; file < 8; file++) {
    const fd = openSync(join(folder, 'data', `${file}.txt`), 'w');
    for (let at = 0; at < 8; at++) writeSync(fd, block);
    closeSync(fd);
  }
  writeFileSync(join(folder, 'size.ts'), `import { statSync, writeFileSync } from 'node:fs';
import { defineStage } from 'run-pipeline';
export default defineStage({
  description: 'Size of files.', inputs: {}, outputs: { files: { contract: 'files', description: 'a number' } },
  config: { type: 'object', additionalProperties: false, properties: { path: { type: 'string', 'x-source': true } } },
  async run(context) { writeFileSync(context.folder('files').path + '/size', String(context.sources('path').reduce((sum, { uri }) => sum + statSync(uri).size, 0))); },
});
`);
  writeFileSync(join(folder, 'p.yaml'), 'name: bench\nstages:\n  size: { uses: ./size.ts, with: { path: data/*.txt } }\n');
  report('4 GiB of input, cold', [time([...ours, 'p.yaml'], folder)]);
  report('4 GiB of unchanged input, no-op', repeat(() => time([...ours, 'p.yaml'], folder)));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ scripts: { size: 'wireit' }, wireit: { size: { command: 'du -sb data > out', files: ['data/*.txt'], output: ['out'] } } }));
  execFileSync('npm', ['i', '-s', '--no-audit', '--no-fund', 'wireit'], { cwd: folder });
  report('4 GiB of input, cold: wireit', [time(['npm', 'run', '-s', 'size'], folder)]);
  report('4 GiB of unchanged input, no-op: wireit', repeat(() => time(['npm', 'run', '-s', 'size'], folder)));
  rmSync(folder, { recursive: true });
}

/** A plan of 10,000 stages, none of which ever ran. */
function plan() {
  const folder = project();
  writeFileSync(join(folder, 'p.yaml'), pipelineOf(chains(10_000, 10)));
  report('10,000 stages, plan', repeat(() => time([...ours, 'plan', 'p.yaml'], folder)));
  rmSync(folder, { recursive: true });
}

function chains(count, length) {
  return Array.from({ length: count }, (_, index) => ({ id: `s${index}`, needs: index % length === 0 ? [] : [`s${index - 1}`] }));
}

function pipelineOf(stages) {
  return `name: bench\nstages:\n${stages.map(({ id, needs }) => `  ${id}: { run: "echo ${id} > $OUT_FILES/out", outputs: { files: { contract: files } }${needs.length > 0 ? `, inputs: { before: ${needs[0]} }` : ''} }`).join('\n')}\n`;
}

function project() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  writeFileSync(join(folder, 'package.json'), '{}');
  return folder;
}

function time([command, ...args], cwd) {
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(command, args, { cwd, stdio: ['ignore', 'ignore', 'pipe'], maxBuffer: 1 << 30 });
  const ms = Number(process.hrtime.bigint() - start) / 1e6;
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`);
  return ms;
}

function repeat(measure) {
  return Array.from({ length: runs }, measure);
}

function report(what, times) {
  const sorted = times.toSorted((a, b) => a - b);
  console.log(`${what.padEnd(60)} ${(sorted[sorted.length >> 1] / 1000).toFixed(3)} s${sorted.length > 1 ? `  (${(sorted[0] / 1000).toFixed(3)}–${(sorted.at(-1) / 1000).toFixed(3)}, ${sorted.length} runs)` : ''}`);
}
