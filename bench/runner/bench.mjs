// Speed of the runner beside wireit and turbo. Usage: npm run build && node bench/runner/bench.mjs
// [sample|trivial|input|plan …]; ROUNDS=3 for fewer What each job is, and what came out: bench/README.md.
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine, measure, paired, report } from './measure.mjs';
import { ours, project, root, turbo, wireit, writePeers } from './peers.mjs';

const rounds = Number(process.env.ROUNDS ?? 5);
const jobs = { sample, trivial, input, plan };
const wanted = process.argv.slice(2);

console.log(machine());
console.log(
  '\n| job | runner | median s | range s | CPU s | peak MiB | |\n| --- | --- | --: | --- | --: | --: | --- |',
);
for (const [name, job] of Object.entries(jobs)) if (wanted.length === 0 || wanted.includes(name)) job();
console.log(`\n${machine()}`);

/**
 * The sample pipeline with everything cached, shortened so that filling the cache takes a minute. The bare Node start
 * is the floor.
 */
function sample() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const command = ours(
    root,
    'pretrain.yaml',
    '--store',
    folder,
    '--set',
    'vars.steps=5',
    '--set',
    'stages.pretrain.with.warmup_steps=2',
  );
  measure(command);
  report(
    'sample, no-op',
    paired({ 'run-pipeline': command, 'node -e 0': { argv: [process.execPath, '-e', '0'], cwd: root } }, rounds),
    'target 0.25',
  );
  rmSync(folder, { recursive: true });
}

/** 1,000 tasks in 100 chains of 10, each of which writes a word to a file. */
function trivial() {
  const folder = project();
  const tasks = chains(1000, 10).map(({ id, needs }) => ({
    id,
    needs,
    files: [],
    output: `out-${id}`,
    command: (prefix) => `echo ${id} > ${prefix}out-${id}`,
  }));
  writeFileSync(join(folder, 'p.yaml'), `name: bench\nstages:\n${stagesOf(chains(1000, 10))}\n`);
  writePeers(folder, tasks);
  const commands = { 'run-pipeline': ours(folder, 'p.yaml'), wireit: wireit(folder), turbo: turbo(folder) };
  report('1,000 trivial stages, cold', paired(commands, 1), 'target 5');
  report('1,000 trivial stages, no-op', paired(commands, rounds), 'target 0.5');
  rmSync(folder, { recursive: true });
}

/** One task over 4 GiB in 8 files that did not change. */
function input() {
  const folder = project();
  mkdirSync(join(folder, 'data'));
  const block = Buffer.alloc(64 << 20, 'all work and no play ');
  for (let file = 0; file < 8; file++) {
    const fd = openSync(join(folder, 'data', `${file}.txt`), 'w');
    for (let at = 0; at < 8; at++) writeSync(fd, block);
    closeSync(fd);
  }
  writeFileSync(
    join(folder, 'size.ts'),
    `import { statSync, writeFileSync } from 'node:fs';
import { defineStage } from 'run-pipeline';
export default defineStage({
  description: 'Size of files.', inputs: {}, outputs: { files: { contract: 'files', description: 'a number' } },
  config: { type: 'object', additionalProperties: false, properties: { path: { type: 'string', 'x-source': true } } },
  async run(context) { writeFileSync(context.outputFolder('files').path + '/size', String(context.sources('path').reduce((sum, { uri }) => sum + statSync(uri).size, 0))); },
});
`,
  );
  writeFileSync(
    join(folder, 'p.yaml'),
    'name: bench\nstages:\n  size: { uses: ./size.ts, with: { path: data/*.txt } }\n',
  );
  writePeers(folder, [
    {
      id: 'size',
      needs: [],
      files: ['data/*.txt'],
      output: 'size.txt',
      command: (prefix) => `du -sb data > ${prefix}size.txt`,
    },
  ]);
  const commands = { 'run-pipeline': ours(folder, 'p.yaml'), wireit: wireit(folder), turbo: turbo(folder) };
  report('4 GiB of input, cold', paired(commands, 1));
  report('4 GiB of input, no-op', paired(commands, rounds), 'target 0.3');
  rmSync(folder, { recursive: true });
}

/** A plan of 10,000 stages, none of which ever ran: unrolled from two stages, and written out in two files. */
function plan() {
  const folder = mkdtempSync(join(tmpdir(), 'bench-'));
  const values = (count) => `[${Array.from({ length: count }, (_, index) => index).join(', ')}]`;
  const axes = `matrix: { a: ${values(50)}, b: ${values(100)} }`;
  writeFileSync(
    join(folder, 'matrix.yaml'),
    `name: bench
stages:
  first:  { run: "echo \${{ matrix.a }} \${{ matrix.b }} > $OUT_FILES/out", outputs: { files: { contract: files } }, ${axes} }
  second: { run: "cp $IN_BEFORE/out $OUT_FILES/out", outputs: { files: { contract: files } }, inputs: { before: first }, ${axes} }\n`,
  );
  const stages = chains(10_000, 10);
  writeFileSync(join(folder, 'half.yaml'), `stages:\n${stagesOf(stages.slice(0, 5000))}\n`);
  writeFileSync(
    join(folder, 'written.yaml'),
    `name: bench\ninclude: [half.yaml]\nstages:\n${stagesOf(stages.slice(5000))}\n`,
  );
  report(
    '10,000 stages by matrix, plan',
    paired({ 'run-pipeline': ours(folder, 'plan', 'matrix.yaml') }, rounds),
    'target 2',
  );
  report(
    '10,000 stages written out, plan',
    paired({ 'run-pipeline': ours(folder, 'plan', 'written.yaml') }, rounds),
    'target 2',
  );
  rmSync(folder, { recursive: true });
}

function chains(count, length) {
  return Array.from({ length: count }, (_, index) => ({
    id: `s${index}`,
    needs: index % length === 0 ? [] : [`s${index - 1}`],
  }));
}

function stagesOf(tasks) {
  return tasks
    .map(
      ({ id, needs }) =>
        `  ${id}: { run: "echo ${id} > $OUT_O/out", outputs: { o: { contract: files } ` +
        `}${needs.length > 0 ? `, inputs: { before: ${needs[0]} }` : ''} }`,
    )
    .join('\n');
}
