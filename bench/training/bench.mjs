// Training speed beside Hugging Face's: node bench/training/bench.mjs --python <one with torch and transformers> [--size mini|base] [--precision fp32|bf16] [--backend torch|wasm] [--rounds 5]
// Both are started and warmed up, then take single steps in turn, so that what else runs on the machine hits both alike;
// the ratio is the median of the rounds' ratios. Where it is busy, compare processor time instead, on one thread: --threads 1.
import { spawn } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({ options: {
  python: { type: 'string', default: 'python3' }, size: { type: 'string', multiple: true, default: ['mini', 'base'] }, precision: { type: 'string', multiple: true, default: ['fp32', 'bf16'] },
  backend: { type: 'string', default: 'torch' }, rounds: { type: 'string', default: '5' }, threads: { type: 'string', default: String(availableParallelism()) },
} });
const sizes = {
  tiny: { hidden: 128, layers: 2, heads: 2, intermediate: 512, vocab: 8192, batch: 32, length: 128 },
  mini: { hidden: 256, layers: 4, heads: 4, intermediate: 1024, vocab: 8192, batch: 32, length: 128 },
  small: { hidden: 512, layers: 4, heads: 8, intermediate: 2048, vocab: 8192, batch: 32, length: 128 },
  base: { hidden: 768, layers: 12, heads: 12, intermediate: 3072, vocab: 50265, batch: 16, length: 128 },
};

console.log(`${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model}, ${options.threads} threads, ${options.rounds} rounds`);
for (const size of options.size) for (const precision of options.precision) await compare(size, sizes[size], precision);

async function compare(name, shape, precision) {
  const flags = Object.entries({ ...shape, precision }).flatMap(([key, value]) => [`--${key}`, String(value)]);
  const here = (file) => fileURLToPath(new URL(file, import.meta.url));
  const peer = contestant(options.python, [here('peer.py'), ...flags]);
  const ours = contestant(process.execPath, [here('ours.mjs'), '--backend', options.backend, '--gpus', '0', ...flags]);
  const [theirName, ourName] = [(await peer.next()).ready, (await ours.next()).ready];
  for (const each of [peer, ours]) await each.ask('step');
  const rounds = [];
  for (let i = 0; i < Number(options.rounds); i++) rounds.push({ theirs: await peer.ask('step'), ours: await ours.ask('step') });
  const gemm = await peer.ask('gemm');
  for (const each of [peer, ours]) each.end();

  const tokens = shape.batch * shape.length;
  const rate = (who) => (tokens * 1e3) / median(rounds.map((round) => round[who].ms));
  const ratio = (unit) => median(rounds.map((round) => round.theirs[unit] / round.ours[unit])).toFixed(2);
  const flops = flopsPerToken(shape, 0.15) * rate('ours');
  console.log(`${name} ${shape.batch}x${shape.length} ${precision}: ${ourName} ${rate('ours').toFixed(0)} tok/s, ${theirName} ${rate('theirs').toFixed(0)} tok/s, ratio ${ratio('ms')} (processor time ${ratio('cpu_ms')}); ours ${(flops / 1e9).toFixed(0)} of ${gemm[precision].toFixed(0)} GFLOP/s of one matrix product`);
}

/** Forward and backward, the head on a share of the positions. */
function flopsPerToken({ hidden: d, layers, intermediate, vocab, length }, share) {
  return 6 * layers * (4 * d * d + 2 * d * intermediate) + 12 * layers * d * length + 6 * share * (d * vocab + d * d);
}

function contestant(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], env: { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: options.threads } });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ended before it answered`);
    return JSON.parse(value);
  };
  return { next, ask: (what) => (child.stdin.write(`${what}\n`), next()), end: () => child.stdin.end() };
}

function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
