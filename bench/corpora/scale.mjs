// The corpus stages over 1 GB and 4 GB of made text, stage by stage through the command line: speed, memory, resuming.
// node bench/corpora/scale.mjs [folder] [MB …]: see scale.md.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { machine } from '../runner/measure.mjs';
import { pipelineOf, stages, steps } from './scale-stages.mjs';
import { writeText } from './scale-text.mjs';

const bin = new URL('../../bin/run-pipeline.js', import.meta.url).pathname;
const jobs = Number(process.env.JOBS ?? 2);

/** UNTIL=cleaned: the chain up to that stage only. */
const last =
  process.env.UNTIL === undefined
    ? stages.length
    : stages.findIndex((stage) => stage.startsWith(`${process.env.UNTIL}:`)) + 1;

const [folder = join(tmpdir(), 'run-pipeline-scale'), ...sizes] = process.argv.slice(2);
for (const megabytes of sizes.length > 0 ? sizes.map(Number) : [1000, 4000]) {
  const project = join(folder, `${megabytes}MB-${process.pid}`);
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  const { bytes, documents } = writeText(join(project, 'text'), megabytes);
  console.log(
    `\n${machine()}\n\n${(bytes / 1e6).toFixed(0)} MB of text, ${documents.toLocaleString('en')} documents; -j ` +
      `${jobs}\n`,
  );
  console.log(
    '| stage | actions | s | MB/s | processor s | peak MiB of a worker | of the runner | killed: done, under way ' +
      '→ done again |\n| --- | --: | --: | --: | --: | --: | --: | --- |',
  );
  const sum = { seconds: 0, cpuSeconds: 0 };
  for (const [index, stage] of stages.slice(0, last).entries()) {
    const name = stage.split(':')[0];
    writeFileSync(join(project, `${name}.yaml`), pipelineOf(index + 1));
    const ids = steps[name] ?? [name];
    for (const [place, id] of ids.entries()) {
      const parts = await stageRuns(project, `${name}.yaml`, id, ids[place + 1]);
      const total = (key) => parts.reduce((total, part) => total + part[key], 0);
      const seconds = total('seconds');
      sum.seconds += seconds;
      sum.cpuSeconds += total('cpuSeconds');
      console.log(
        `| ${id} | ${parts.at(-1).actions} | ${seconds.toFixed(1)} | ${(bytes / 1e6 / seconds).toFixed(1)} | ` +
          `${total('cpuSeconds').toFixed(1)} | ${Math.max(...parts.map((part) => part.workerMiB))} | ` +
          `${Math.max(...parts.map((part) => part.runnerMiB))} | ${parts.length > 1 ? resumption(...parts) : ''} |`,
      );
    }
  }
  console.log(
    `| all | | ${sum.seconds.toFixed(1)} | ${(bytes / 1e6 / sum.seconds).toFixed(1)} | ` +
      `${sum.cpuSeconds.toFixed(1)} | | | |\n\nThe store takes ` +
      `${(sizeOf(join(project, '.run-pipeline/objects')) / 1e6).toFixed(0)} MB.`,
  );
  if (process.env.KEEP !== '1') rmSync(project, { recursive: true });
}

/**
 * Run a stage, what is before it being there already: in two runs, the first of them killed, if it has four shards or
 * more.
 */
async function stageRuns(project, file, stage, next) {
  const first = await run(project, file, stage, next, process.env.KILL !== '0');
  return first.isKilled ? [first, await run(project, file, stage, next, false)] : [first];
}

/**
 * The seconds are those of the stage itself, from its start to its end or the kill. A run ends when the next stage
 * begins, which has workers of its own.
 */
function run(project, file, stage, next, killsHalfWay) {
  const child = spawn(process.execPath, [bin, file, '--json', '-j', String(jobs)], {
    cwd: project,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const result = {
    actions: 0,
    seconds: 0,
    workerMiB: 0,
    runnerMiB: 0,
    isKilled: false,
    began: [],
    ended: [],
    cpuSeconds: 0,
  };
  const cpuOf = new Map();
  const look = () => {
    result.runnerMiB = Math.max(result.runnerMiB, peakMiB(child.pid));
    for (const pid of cpuOf.keys()) {
      cpuOf.set(pid, Math.max(cpuOf.get(pid), processorSeconds(pid)));
      result.workerMiB = Math.max(result.workerMiB, peakMiB(pid));
    }
  };
  const timer = setInterval(look, 50);
  let rest = '',
    start = 0,
    end = 0,
    failed = '',
    isOver = false;
  return new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      const lines = (rest + String(chunk)).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const event = JSON.parse(line);
        if (event.type === 'stage-end' && event.state === 'failed') failed = line;
        if (event.type === 'stage-planned' && event.stage === next) {
          isOver = true;
          child.kill('SIGKILL');
        }
        if (event.stage !== stage) continue;
        end = performance.now();
        if (event.type === 'stage-start') [start, result.actions] = [performance.now(), event.actions];
        if (event.type === 'action-start') {
          if (!cpuOf.has(event.pid)) cpuOf.set(event.pid, 0);
          result.began.push(event.action);
        }
        if (event.type === 'action-end') {
          look();
          result.ended.push(event.action);
          if (killsHalfWay && result.actions >= 4 && !result.isKilled && result.ended.length >= result.actions / 2) {
            result.isKilled = true;
            child.kill('SIGKILL');
          }
        }
      }
    });
    child.on('close', (code) => {
      clearInterval(timer);
      result.seconds = (end - start) / 1000;
      result.cpuSeconds = [...cpuOf.values()].reduce((sum, seconds) => sum + seconds, 0);
      if (code === 0 || isOver || result.isKilled) resolve(result);
      else reject(new Error(`${stage} ended with ${code}: ${failed}`));
    });
  });
}

function resumption(killed, resumed) {
  const again = resumed.began.filter((action) => killed.began.includes(action));
  const lost = again.filter((action) => killed.ended.includes(action));
  return (
    `${killed.ended.length}, ${killed.began.length - killed.ended.length} → ` +
    `${again.length}${lost.length > 0 ? `, ${lost.length} of them were done: a bug` : ''}`
  );
}

function peakMiB(pid) {
  return Math.round(Number(/VmHWM:\s*(\d+)/.exec(readProc(pid, 'status'))?.[1] ?? 0) / 1024);
}

/** User and system time of a process, all threads. */
function processorSeconds(pid) {
  const fields = readProc(pid, 'stat').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) / 100;
}

function readProc(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8');
  } catch {
    return '';
  }
}

function sizeOf(path) {
  const stat = statSync(path);
  return stat.isDirectory() ? readdirSync(path).reduce((sum, name) => sum + sizeOf(join(path, name)), 0) : stat.size;
}
