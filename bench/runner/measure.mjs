// Timing of commands, in turns, so that whatever else the machine does falls on all of them alike.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';

const gnuTime = '/usr/bin/time';

/** One line on what was measured where. */
export function machine() {
  return `${new Date().toISOString().slice(0, 16).replace('T', ' ')} · ${availableParallelism()} cores, ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GiB · Node ${process.versions.node} · load ${loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`;
}

/** Run each command `rounds` times, taking turns: `{ name: [{ wallMs, cpuMs, peakMiB }] }`. */
export function paired(commands, rounds) {
  const results = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round < rounds; round++)
    for (const [name, command] of Object.entries(commands)) results[name].push(measure(command));
  return results;
}

/**
 * Wall time; processor time of the process and those it waited for, and its peak memory, where GNU time is installed.
 */
export function measure({ argv, cwd, env = {} }) {
  const folder = mkdtempSync(join(tmpdir(), 'time-'));
  const usage = join(folder, 'usage');
  const [command, ...args] = existsSync(gnuTime) ? [gnuTime, '-o', usage, '-f', '%U %S %M', ...argv] : argv;
  const start = performance.now();
  const { status, stderr, error } = spawnSync(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: 1 << 30,
    encoding: 'utf8',
  });
  const wallMs = performance.now() - start;
  if (status !== 0)
    throw new Error(`${argv.join(' ')} in ${cwd} ended with ${status}: ${error?.message ?? stderr.slice(-2000)}`);
  const [user, system, peakKiB] = existsSync(usage) ? readFileSync(usage, 'utf8').trim().split(' ').map(Number) : [];
  rmSync(folder, { recursive: true });
  return {
    wallMs,
    cpuMs: user === undefined ? undefined : (user + system) * 1000,
    peakMiB: peakKiB === undefined ? undefined : peakKiB / 1024,
  };
}

/** The middle value; the upper one of an even number. */
export const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Rows of a Markdown table: the first runner is the one that the others are compared with. */
export function report(job, results, note = '') {
  const seconds = (ms) => (ms / 1000).toFixed(2);
  const [[, first]] = Object.entries(results);
  for (const [name, runs] of Object.entries(results)) {
    const walls = runs.map(({ wallMs }) => wallMs);
    const cpu = runs[0].cpuMs === undefined ? '' : seconds(median(runs.map(({ cpuMs }) => cpuMs)));
    const peak = runs[0].peakMiB === undefined ? '' : Math.round(Math.max(...runs.map(({ peakMiB }) => peakMiB)));
    const range =
      runs.length > 1 ? `${seconds(Math.min(...walls))}–${seconds(Math.max(...walls))}, ${runs.length} runs` : '1 run';
    console.log(
      `| ${job} | ${name} | ${seconds(median(walls))} | ${range} | ${cpu} | ${peak} | ` +
        `${runs === first ? note : `×${(median(walls) / median(first.map(({ wallMs }) => wallMs))).toFixed(1)}`} |`,
    );
  }
}
