// Training speed beside Hugging Face's: node bench/training/bench.mjs --python <one with torch and transformers>
// [--size mini|base] [--precision fp32|bf16] [--backend torch|wasm] [--rounds 5]
// On a CUDA machine: --device cuda [--peak <TFLOP/s in bf16 on its data sheet>], base at 512 and at 128 in bf16. Sets
// the backend up first, where it is not;
// pack.mjs makes an archive of what it takes there.
// Both are started and warmed up, then take steps in turn, one at a time or, on a GPU, whose queue must not run dry,
// ten, so that what else runs on the machine hits both alike;
// the ratio is the median of the rounds' ratios. Where it is busy, compare processor time instead, on one thread:
// --threads 1.
import { spawn, spawnSync } from 'node:child_process';
import { availableParallelism, cpus } from 'node:os';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    size: { type: 'string', multiple: true },
    precision: { type: 'string', multiple: true },
    backend: { type: 'string', default: 'torch' },
    device: { type: 'string', default: 'cpu' },
    peak: { type: 'string' },
    repeat: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    threads: { type: 'string', default: String(availableParallelism()) },
  },
});
const base = { hidden: 768, layers: 12, heads: 12, intermediate: 3072, vocab: 50265 };
const sizes = {
  tiny: { hidden: 128, layers: 2, heads: 2, intermediate: 512, vocab: 8192, batch: 32, length: 128 },
  mini: { hidden: 256, layers: 4, heads: 4, intermediate: 1024, vocab: 8192, batch: 32, length: 128 },
  small: { hidden: 512, layers: 4, heads: 8, intermediate: 2048, vocab: 8192, batch: 32, length: 128 },
  base: { ...base, batch: 16, length: 128 },
  'base-128': { ...base, batch: 256, length: 128 },
  'base-512': { ...base, batch: 64, length: 512 },
};
const cuda = options.device === 'cuda';
const repeat = options.repeat ?? (cuda ? '10' : '1');
/** TFLOP/s of dense bf16 products, by the data sheets, for names as the driver gives them. */
const peaks = [
  [/A100/, 312],
  [/H100 PCIe/, 756],
  [/H100|H200|GH200/, 989],
  [/B200/, 2250],
];
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

if (options.backend === 'torch') {
  const { status } = spawnSync(
    process.execPath,
    [here('../../bin/run-pipeline.js'), 'setup', 'torch', '--python', options.python],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  if (status !== 0) process.exit(1);
}
console.log(
  `${new Date().toISOString().slice(0, 10)}, ${cpus()[0]?.model}, ${options.threads} threads, ${options.rounds} rounds`,
);
for (const size of options.size ?? (cuda ? ['base-512', 'base-128'] : ['mini', 'base']))
  for (const precision of options.precision ?? (cuda ? ['bf16'] : ['fp32', 'bf16']))
    await compare(size, sizes[size], precision);

async function compare(name, shape, precision) {
  const flags = Object.entries({ ...shape, precision, device: options.device, repeat }).flatMap(([key, value]) => [
    `--${key}`,
    String(value),
  ]);
  const peer = contestant(options.python, [here('peer.py'), ...flags]);
  const ours = contestant(process.execPath, [here('ours.mjs'), '--backend', options.backend, ...flags]);
  const [theirName, ourName] = [(await peer.next()).ready, (await ours.next()).ready];
  // torch.compile compiles in its first steps, and GPUs need some to reach their clock.
  for (let i = 0; i < (cuda ? 5 : 1); i++) for (const each of [peer, ours]) await each.ask('step');
  const rounds = [];
  for (let i = 0; i < Number(options.rounds); i++)
    rounds.push({ theirs: await peer.ask('step'), ours: await ours.ask('step') });
  const gemm = await peer.ask('gemm');
  for (const each of [peer, ours]) each.end();

  const tokens = shape.batch * shape.length;
  const rate = (who) => (tokens * 1e3) / median(rounds.map((round) => round[who].ms));
  const ratio = (unit) => median(rounds.map((round) => round.theirs[unit] / round.ours[unit])).toFixed(2);
  const flops = flopsPerToken(shape, 0.15) * rate('ours');
  console.log(
    `${name} ${shape.batch}x${shape.length} ${precision}: ${ourName} ${rate('ours').toFixed(0)} tok/s, ` +
      `${theirName} ${rate('theirs').toFixed(0)} tok/s, ratio ${ratio('ms')} (processor time ${ratio('cpu_ms')}); ` +
      `ours ${(flops / 1e9).toFixed(0)} of ${gemm[precision].toFixed(0)} GFLOP/s of one matrix ` +
      `product${mfu(flopsPerToken(shape, 0.15), rate, theirName)}`,
  );
}

/** Share of the data sheet's rate that both reach, counting the head on masked positions for both. */
function mfu(flops, rate, device) {
  const peak = Number(options.peak ?? peaks.find(([name]) => name.test(device))?.[1]);
  if (Number.isNaN(peak)) return '';
  const [ours, theirs] = ['ours', 'theirs'].map((who) => ((flops * rate(who)) / (peak * 1e10)).toFixed(1));
  return `; MFU ${ours} %, the peer's ${theirs} % of ${peak} TFLOP/s`;
}

/** Forward and backward, the head on a share of the positions. */
function flopsPerToken({ hidden: d, layers, intermediate, vocab, length }, share) {
  return 6 * layers * (4 * d * d + 2 * d * intermediate) + 12 * layers * d * length + 6 * share * (d * vocab + d * d);
}

function contestant(command, args) {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: options.threads },
  });
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
