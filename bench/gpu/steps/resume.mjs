// The sample pipeline up to its stage `pretrain`, in bf16 and with dropout: killed half-way with SIGKILL and run again,
// it must end with the very weights of a run that nobody disturbed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { parse, stringify } from 'yaml';
import { row } from '../row.mjs';

const { values: options } = parseArgs({ options: { device: { type: 'string' } } });
const root = fileURLToPath(new URL('../../..', import.meta.url));
const work = mkdtempSync(join(tmpdir(), 'resume-'));
const steps = options.device === 'cuda' ? 400 : 80;
const files = { corpus: join(root, 'pipelines/check-corpus.yaml'), whole: join(root, 'pipelines/check.yaml') };

const pipeline = parse(readFileSync(join(root, 'pipelines/pretrain.yaml'), 'utf8'));
const { pretrain } = pipeline.stages;
const all = Object.entries(pipeline.stages);
// The file lists stages in the order in which they run.
const upstream = Object.fromEntries(
  all.slice(
    0,
    all.findIndex(([name]) => name === 'pretrain'),
  ),
);
writePipeline(files.corpus, upstream);
writePipeline(files.whole, {
  ...upstream,
  pretrain: {
    ...pretrain,
    with: {
      ...pretrain.with,
      backend: 'torch',
      precision: 'bf16',
      max_steps: steps,
      save_steps: steps / 8,
      logging_steps: 1,
      hidden_dropout_prob: 0.1,
      attention_probs_dropout_prob: 0.1,
    },
  },
});

try {
  const corpus = await run(files.corpus, 'undisturbed');
  row('corpora', corpus.code === 0, `${Object.keys(upstream).length} stages in ${corpus.seconds} s`);
  if (corpus.code !== 0) process.exit(1);
  cpSync(join(work, 'undisturbed'), join(work, 'killed'), { recursive: true });

  const whole = await run(files.whole, 'undisturbed');
  row('undisturbed', whole.code === 0 && whole.device === options.device, `${whole.backend}, ${whole.seconds} s`);
  if (whole.code !== 0) process.exit(1);
  const weights = takeWeights();

  const killed = await run(files.whole, 'killed', steps / 2);
  const again = await run(files.whole, 'killed');
  if (again.code !== 0) throw new Error(`the run after the kill ended with ${again.code}`);
  const equal = takeWeights() === weights;
  row(
    'killed and resumed',
    equal && killed.code !== 0 && again.resumedAfter > 0,
    `killed at step ${killed.step} of ${steps}, resumed after step ${again.resumedAfter}: ` +
      `${equal ? 'the weights are equal' : 'the weights differ'} (SHA-256 ${weights.slice(0, 12)})`,
  );
} finally {
  rmSync(work, { recursive: true, force: true });
}

function writePipeline(file, stages) {
  writeFileSync(file, stringify({ ...pipeline, name: 'check', stages }));
}

function takeWeights() {
  const outputs = join(root, 'outputs/check');
  const digest = createHash('sha256')
    .update(readFileSync(join(outputs, 'pretrain/model.safetensors')))
    .digest('hex');
  rmSync(outputs, { recursive: true });
  return digest;
}

/** Run to the end, or until training has made a step: then it is killed, and its worker. */
async function run(file, store, killAt = Infinity) {
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [join(root, 'bin/run-pipeline.js'), file, '--json', '--store', join(work, store)],
    { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const ended = new Promise((resolve) => {
    child.once('close', resolve);
  });
  const found = { step: 0, resumedAfter: 0, backend: '', device: '' };
  let worker;
  for await (const line of createInterface({ input: child.stdout })) {
    const event = JSON.parse(line);
    if (event.type === 'action-start' && event.stage === 'pretrain') worker = event.pid;
    if (event.diagnostic !== undefined) console.error(JSON.stringify(event.diagnostic));
    if (event.type !== 'log') continue;
    if (event.text.startsWith('backend ')) {
      found.backend = event.text;
      found.device = / on (cpu|cuda) /.exec(event.text)?.[1];
    }
    found.resumedAfter = Number(/^resumed after step (\d+)/.exec(event.text)?.[1] ?? found.resumedAfter);
    found.step = Number(/^step (\d+) loss/.exec(event.text)?.[1] ?? found.step);
    if (found.step >= killAt && worker !== undefined) {
      process.kill(worker, 'SIGKILL');
      child.kill('SIGKILL');
      worker = undefined;
    }
  }
  return { code: await ended, seconds: Math.round((performance.now() - began) / 1000), ...found };
}
