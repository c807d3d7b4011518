// Training speed beside Hugging Face's: node bench/training/bench.mjs --python <one with torch and transformers>
// [--size mini|base] [--precision fp32|bf16] [--backend torch|wasm] [--rounds 5] Both are started and warmed up, then
// take steps in turn, so that what else runs on the machine hits both alike;
// the ratio is the median of the rounds' ratios. Where it is busy, compare processor time instead, on one thread:
// --threads 1. On a GPU: bench/gpu.
import { spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contest, flopsPerToken, median, sizes } from './contest.mjs';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    size: { type: 'string', multiple: true, default: ['mini', 'base'] },
    precision: { type: 'string', multiple: true, default: ['fp32', 'bf16'] },
    backend: { type: 'string', default: 'torch' },
    repeat: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});

if (options.backend === 'torch') {
  const program = fileURLToPath(new URL('../../bin/run-pipeline.js', import.meta.url));
  const { status } = spawnSync(process.execPath, [program, 'setup', 'torch', '--python', options.python], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  if (status !== 0) process.exit(1);
}
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model}, ${options.threads} threads, ${options.rounds} rounds`,
);
for (const size of options.size) for (const precision of options.precision) await compare(size, sizes[size], precision);

async function compare(name, shape, precision) {
  const { ours, peer } = contest({ ...options, shape, precision, device: 'cpu' });
  const [theirName, ourName] = [await peer.ready(), await ours.ready()];
  for (const each of [peer, ours]) await each.ask('step');
  const rounds = [];
  for (let i = 0; i < Number(options.rounds); i++)
    rounds.push({ theirs: await peer.ask('step'), ours: await ours.ask('step') });
  const gemm = await peer.ask('gemm');
  for (const each of [peer, ours]) each.end();

  const rate = (who) => (shape.batch * shape.length * 1e3) / median(rounds.map((round) => round[who].ms));
  const ratio = (unit) => median(rounds.map((round) => round.theirs[unit] / round.ours[unit])).toFixed(2);
  const flops = flopsPerToken(shape, 0.15) * rate('ours');
  console.log(
    `${name} ${shape.batch}x${shape.length} ${precision}: ${ourName} ${rate('ours').toFixed(0)} tok/s, ` +
      `${theirName} ${rate('theirs').toFixed(0)} tok/s, ratio ${ratio('ms')} (processor time ${ratio('cpu_ms')}); ` +
      `ours ${(flops / 1e9).toFixed(0)} of ${gemm[precision].toFixed(0)} GFLOP/s of one matrix product`,
  );
}
