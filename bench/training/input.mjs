// The input pipeline: npm run build && node bench/training/input.mjs [--tokens 12000000 --tokens 120000000] [--length
// 128] [--batch 32] [--backend torch] [--python <one with torch, transformers and datasets>] Batches as fast as they
// are asked for, in a process of its own for each data set, so that its peak of memory is that of reading; the same the
// Hugging Face way, with --python; then a real training, and how long its steps wait for data.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createBackendResolver } from '../../dist/src/backends/resolve.js';
import { openBackend } from '../../dist/src/backends/select.js';
import { loadContract } from '../../dist/src/arrow/contract.js';
import { ArrowDatasetWriter } from '../../dist/src/arrow/writer.js';
import { BatchFeed } from '../../dist/src/training/batch-feed.js';
import { presets } from '../../dist/src/model/config.js';
import { Optimizer } from '../../dist/src/training/optimizer.js';
import { createParameters, initialValues, parameterSpecs } from '../../dist/src/model/parameters.js';
import { encode, loss, maskedLmLogits } from '../../dist/src/model/roberta.js';
import { trainStep } from '../../dist/src/training/train-step.js';
import { draw32, key32 } from '../../dist/src/ops/random.js';
import { planIn, writeMaskPlan } from '../../dist/src/masking/mask-plan.js';

const { values: options } = parseArgs({
  options: {
    tokens: { type: 'string', multiple: true, default: ['12000000', '120000000'] },
    length: { type: 'string', default: '128' },
    batch: { type: 'string', default: '32' },
    steps: { type: 'string', default: '3000' },
    backend: { type: 'string', default: 'auto' },
    size: { type: 'string', default: 'mini' },
    python: { type: 'string' },
    reader: { type: 'string' },
  },
});
process.env.OMP_WAIT_POLICY ??= 'PASSIVE'; // as a worker of the runner has it
const [length, batch_size, steps] = [options.length, options.batch, options.steps].map(Number);
const vocab_size = 50_265;
const modes = { dynamic: {}, importance: { mode: 'importance' }, 'whole words': { whole_word: true } };

if (options.reader !== undefined) console.log(JSON.stringify(await read(JSON.parse(options.reader))));
else await compare();

async function compare() {
  const folder = mkdtempSync(join(tmpdir(), 'input-'));
  try {
    console.log(
      `${new Date().toISOString().slice(0, 10)}, ${cpus().length} × ${cpus()[0]?.model}, Node ` +
        `${process.version}; batches of ${batch_size}×${length}, ${steps} of them\n`,
    );
    console.log(
      '| tokens on disk | masking | opened in ms | batches/s | tokens/s | processor s | peak MiB |\n| --: | --- ' +
        '| --: | --: | --: | --: | --: |',
    );
    let sequences;
    for (const [i, tokens] of options.tokens.map(Number).entries()) {
      sequences = await makeSequences(join(folder, `sequences-${i}`), Math.ceil(tokens / length));
      for (const [name, change] of Object.entries(modes)) {
        const plan = planOf(sequences, makeMaskPlan(join(folder, name), change));
        printRow(
          tokens,
          name,
          JSON.parse(
            execFileSync(
              process.execPath,
              [fileURLToPath(import.meta.url), '--reader', JSON.stringify({ plan, steps })],
              { encoding: 'utf8' },
            ),
          ),
        );
      }
    }
    if (options.python !== undefined) comparePeer(sequences);
    await train(planOf(sequences, join(folder, 'dynamic')), 30);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Hugging Face's way with the data set that was read last. */
function comparePeer({ shards }) {
  const flags = Object.entries({ vocab: vocab_size, length, batch: batch_size, steps }).flatMap(([name, value]) => [
    `--${name}`,
    String(value),
  ]);
  const output = execFileSync(
    options.python,
    [
      fileURLToPath(new URL('input_peer.py', import.meta.url)),
      ...flags,
      '--shards',
      ...shards.map(({ location }) => location),
    ],
    { encoding: 'utf8', env: { ...process.env, HF_HUB_OFFLINE: '1' } },
  );
  printRow(options.tokens.at(-1), 'dynamic, Hugging Face', JSON.parse(output));
}

function printRow(tokens, what, { openMs, seconds, cpuSeconds, peakMiB }) {
  console.log(
    `| ${Number(tokens).toLocaleString('en')} | ${what} | ${openMs.toFixed(0)} | ${(steps / seconds).toFixed(0)} ` +
      `| ${Math.round((steps * batch_size * length) / seconds).toLocaleString('en')} | ${cpuSeconds.toFixed(1)} | ` +
      `${peakMiB.toFixed(0)} |`,
  );
}

/** Take batches and do nothing with them. */
async function read({ plan, steps: count }) {
  const start = performance.now();
  const feed = await BatchFeed.open(plan);
  const [opened, busy] = [performance.now(), process.cpuUsage()];
  for await (const _ of feed.steps(0, count));
  const seconds = (performance.now() - opened) / 1000;
  const { user, system } = process.cpuUsage(busy);
  await feed.close();
  return {
    openMs: opened - start,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    peakMiB: process.resourceUsage().maxRSS / 1024,
  };
}

/** Train on the batches, and tell what share of the steps' time they were waited for. */
async function train(plan, count) {
  const root = process.env.RUN_PIPELINE_BACKENDS ?? join(homedir(), '.cache/run-pipeline/backends');
  const backend = createBackendResolver({ root, gpus: 0 })(options.backend);
  await openBackend(backend, 'fp32');
  const config = {
    vocab_size,
    ...presets[options.size],
    max_position_embeddings: length + 2,
    hidden_dropout_prob: 0.1,
    attention_probs_dropout_prob: 0.1,
    layer_norm_eps: 1e-5,
    initializer_range: 0.02,
  };
  const specs = parameterSpecs(config, { kind: 'masked-lm' });
  const model = { config, parameters: createParameters(specs, initialValues(specs, config, 0)) };
  const optimizer = new Optimizer(model.parameters, {
    adam_beta1: 0.9,
    adam_beta2: 0.98,
    adam_epsilon: 1e-6,
    weight_decay: 0.01,
  });
  const feed = await BatchFeed.open(plan);
  const start = performance.now();
  let step = 0;
  for await (const batches of feed.steps(0, count)) {
    const labels = batches.reduce((sum, { labelCount }) => sum + labelCount, 0);
    trainStep(
      optimizer,
      batches.map(
        (batch) => () =>
          loss(
            maskedLmLogits(model, encode(model, batch, key32('dropout', step++)), batch.positions),
            batch.labels,
            labels,
          ),
      ),
      1e-4,
    );
    await new Promise(setImmediate);
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(
    `\n${options.size} on ${backend.name} ${backend.version}, ${count} steps: ` +
      `${((seconds / count) * 1000).toFixed(0)} ms a step, of which it waited for data ` +
      `${((feed.waitedSeconds / count) * 1000).toFixed(2)} ms ` +
      `(${((feed.waitedSeconds / seconds) * 100).toFixed(2)} %)`,
  );
  await feed.close();
}

function planOf(sequences, plan) {
  return {
    sequences,
    plan: planIn(plan),
    limits: { maxTokens: length, vocab_size },
    batch_size,
    batches_per_step: 1,
    seed: 1,
  };
}

/** Full sequences of made-up tokens, a word each three of four, as the tokenize stage leaves them. */
async function makeSequences(folder, count) {
  const contract = loadContract(fileURLToPath(new URL('../../schemas/contracts', import.meta.url)), 'sequences');
  const writer = new ArrowDatasetWriter(folder, contract);
  const word_starts = Uint16Array.from(Array.from({ length: length - 2 }, (_, i) => i + 1).filter((i) => i % 4 > 0));
  for (let row = 0; row < count; row++) {
    const input_ids = Uint32Array.from({ length }, (_, i) =>
      i === 0 ? 0 : i === length - 1 ? 2 : 4 + (draw32(row, i) % (vocab_size - 5)),
    );
    await writer.add({ input_ids, word_starts, doc_ids: Uint32Array.of(row) });
  }
  const { files } = await writer.finish();
  return { contract: 'sequences', shards: files.map((file) => ({ ...file, location: join(folder, file.path) })) };
}

function makeMaskPlan(folder, change) {
  if (existsSync(folder)) return folder;
  const settings = {
    mode: 'dynamic',
    mlm_probability: 0.15,
    epochs: 10,
    seed: 3,
    mask_replace_prob: 0.8,
    random_replace_prob: 0.1,
    whole_word: false,
    max_span_length: 1,
    span_p: 0.2,
    special_ids: [0, 1, 2, 3, vocab_size - 1],
    mask_id: vocab_size - 1,
    vocab_size,
    ...change,
  };
  const each = () => new Float64Array(vocab_size);
  writeMaskPlan(folder, settings, {
    count: each(),
    importance: each(),
    probability: Float32Array.from({ length: vocab_size }, (_, id) => 0.1 + (id % 10) / 100),
  });
  return folder;
}
