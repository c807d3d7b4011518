// What a pool of threads costs, beside tinypool and piscina: npm run build && node bench/threads/bench.mjs (ROUNDS=5).
// The jobs are those of the two places that have a pool: batches of training, whose arrays are moved to the caller, and
// pages of a dump, which are copied there and back. The tasks themselves do next to nothing.
import { fileURLToPath, pathToFileURL } from 'node:url';
import { installPeers } from '../corpora/npm-peers.mjs';
import { inOrder, TaskPool } from '../../dist/src/threads/task-pool.js';
import { machine, median } from '../runner/measure.mjs';
import { tasks } from './tasks.mjs';

const rounds = Number(process.env.ROUNDS ?? 5);
const { load, folder, version } = installPeers('tinypool', 'piscina');
const { Tinypool } = await load('tinypool');
const { Piscina } = (await load('piscina')).default;
const url = new URL('tasks.mjs', import.meta.url);
/** A peer's thread needs its package to say what to move, and is told where it is. */
const workerData = { peers: pathToFileURL(`${folder}/package.json`).href };

const jobs = {
  'batches, moved': { name: 'batch', threads: 1, ahead: 4, inputs: Array.from({ length: 20_000 }, (_, step) => step) },
  'pages, copied': { name: 'pages', threads: 2, ahead: 3, inputs: Array.from({ length: 200 }, pagesOf) },
};
const pools = {
  'run-pipeline': (threads) => {
    const pool = new TaskPool(tasks, url, threads, { beside: true });
    return { run: (name, input) => pool.run(name, input), close: () => pool.close() };
  },
  [version('tinypool')]: (threads) => peer(Tinypool, threads, 'tinypool'),
  [version('piscina')]: (threads) => peer(Piscina, threads, 'piscina'),
};

console.log(
  `${machine()}\n\n| job | pool | tasks/s | processor ms per 1,000 tasks | against ours |\n` +
    '| --- | --- | --: | --: | --: |',
);
for (const [job, work] of Object.entries(jobs)) {
  const times = Object.fromEntries(Object.keys(pools).map((pool) => [pool, []]));
  for (let round = 0; round < rounds; round++)
    for (const [pool, open] of Object.entries(pools)) times[pool].push(await measure(open, work));
  const ours = median(times['run-pipeline'].map(({ cpuMs }) => cpuMs));
  for (const [pool, runs] of Object.entries(times)) {
    const cpuMs = median(runs.map((run) => run.cpuMs));
    const rate = work.inputs.length / median(runs.map((run) => run.seconds));
    console.log(
      `| ${job} | ${pool} | ${Math.round(rate).toLocaleString('en')} | ` +
        `${((cpuMs / work.inputs.length) * 1000).toFixed(0)} | ` +
        `${pool === 'run-pipeline' ? '' : `×${(cpuMs / ours).toFixed(2)}`} |`,
    );
  }
}

/** All inputs through a pool that has warmed up; seconds, and processor time of all threads. */
async function measure(open, { name, threads, ahead, inputs }) {
  const pool = open(threads);
  const take = async (some) => {
    for await (const _ of inOrder(
      (async function* () {
        yield* some;
      })(),
      ahead,
      (input) => pool.run(name, input),
    ));
  };
  await take(inputs.slice(0, inputs.length / 10));
  const [start, busy] = [performance.now(), process.cpuUsage()];
  await take(inputs);
  const { user, system } = process.cpuUsage(busy);
  const seconds = (performance.now() - start) / 1000;
  await pool.close();
  return { seconds, cpuMs: (user + system) / 1000 };
}

function peer(Pool, threads, from) {
  const pool = new Pool({
    filename: fileURLToPath(url),
    minThreads: threads,
    maxThreads: threads,
    concurrentTasksPerWorker: 4,
    workerData: { ...workerData, from },
  });
  return { run: (name, input) => pool.run(input, { name }), close: () => pool.destroy() };
}

function pagesOf(_, batch) {
  const text = `Page ${batch} says something that ends. `.repeat(40);
  return { pages: Array.from({ length: 700 }, (_, id) => ({ id: String(id), title: `Title ${id}`, text })) };
}
