// Two contestants, ours and Hugging Face's, that take training steps when asked: see ours.mjs and peer.py.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const base = { hidden: 768, layers: 12, heads: 12, intermediate: 3072, vocab: 50265 };
/** Models with the batches that they are trained on. */
export const sizes = {
  tiny: { hidden: 128, layers: 2, heads: 2, intermediate: 512, vocab: 8192, batch: 32, length: 128 },
  mini: { hidden: 256, layers: 4, heads: 4, intermediate: 1024, vocab: 8192, batch: 32, length: 128 },
  small: { hidden: 512, layers: 4, heads: 8, intermediate: 2048, vocab: 8192, batch: 32, length: 128 },
  base: { ...base, batch: 16, length: 128 },
  'base-128': { ...base, batch: 256, length: 128 },
  'base-512': { ...base, batch: 64, length: 512 },
};

/**
 * Start both: `{ ours, peer }`, each with `ready()`, which waits until it is and returns its name, `ask(what)` and
 * `end()`. A step that they are asked for is `repeat` steps, and they answer with the time of one.
 */
export function contest({ python, backend, shape, precision, device, repeat, threads, head = 'every' }) {
  const flags = Object.entries({ ...shape, precision, device, repeat, head }).flatMap(([key, value]) => [
    `--${key}`,
    String(value),
  ]);
  const here = (file) => fileURLToPath(new URL(file, import.meta.url));
  return {
    peer: contestant(python, [here('peer.py'), ...flags], threads),
    ours: contestant(process.execPath, [here('ours.mjs'), '--backend', backend, ...flags], threads),
  };
}

function contestant(command, args, threads) {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, HF_HUB_OFFLINE: '1', OMP_NUM_THREADS: String(threads) },
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command} ${args[0]} ended before it answered`);
    return JSON.parse(value);
  };
  return {
    ready: async () => (await next()).ready,
    ask: (what) => {
      child.stdin.write(`${what}\n`);
      return next();
    },
    end: () => child.stdin.end(),
  };
}

/** Floating point operations of a token's training: forward and backward, the head on a share of the positions. */
export function flopsPerToken({ hidden: d, layers, intermediate, vocab, length }, share) {
  return 6 * layers * (4 * d * d + 2 * d * intermediate) + 12 * layers * d * length + 6 * share * (d * vocab + d * d);
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)] + sorted[Math.ceil((sorted.length - 1) / 2)]) / 2;
}
