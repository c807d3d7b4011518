// Twenty training steps in each of two processes: every loss and every weight must have equal bits.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { createBackendResolver } from '../../../dist/src/backends/resolve.js';
import { openBackend } from '../../../dist/src/backends/select.js';
import { madeUpTraining } from '../../training/made-up.mjs';
import { row } from '../row.mjs';

const { values: options } = parseArgs({
  options: { device: { type: 'string' }, precision: { type: 'string' } },
});
const shape =
  options.device === 'cuda'
    ? { hidden: 768, layers: 3, heads: 12, intermediate: 3072, vocab: 8195, batch: 64, length: 128 }
    : { hidden: 64, layers: 2, heads: 2, intermediate: 256, vocab: 515, batch: 8, length: 32 };
const steps = 20;

if (options.precision === undefined) for (const precision of ['bf16', 'fp32']) await compare(precision);
else console.log(JSON.stringify(await train(options.precision)));

async function train(precision) {
  const resolve = createBackendResolver({
    root: process.env.RUN_PIPELINE_BACKENDS,
    gpus: options.device === 'cuda' ? 1 : 0,
  });
  const backend = resolve('torch');
  if (backend.device !== options.device)
    throw new Error(`the torch backend that is set up cannot compute on ${options.device}`);
  await openBackend(backend, precision);
  const { parameters, step } = madeUpTraining(shape);
  const losses = Array.from({ length: steps }, step);
  const weights = createHash('sha256');
  for (const parameter of parameters.values()) {
    const values = parameter.dataSync();
    weights.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return { losses, weights: weights.digest('hex') };
}

async function compare(precision) {
  const [first, second] = await Promise.all([run(precision), run(precision)]);
  const at = first.losses.findIndex((loss, i) => !Object.is(loss, second.losses[i]));
  const learns = first.losses.at(-1) < first.losses[0];
  const what =
    at >= 0
      ? `the losses of step ${at + 1} differ: ${first.losses[at]} and ${second.losses[at]}`
      : first.weights !== second.weights
        ? 'the losses are equal, the weights are not'
        : `equal bits: loss ${first.losses[0].toFixed(4)} → ${first.losses.at(-1).toFixed(4)}`;
  row(
    `${steps} steps twice, ${precision}`,
    at < 0 && first.weights === second.weights && learns,
    learns ? what : `${what}; the loss does not fall`,
    { first, second, shape },
  );
}

async function run(precision) {
  const args = [fileURLToPath(import.meta.url), '--device', options.device, '--precision', precision];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout);
}
