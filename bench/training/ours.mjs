// This project as a contestant: `--repeat` training steps for every line `step` on stdin, the time of one on stdout.
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { createBackendResolver } from '../../dist/src/backends/resolve.js';
import { openBackend } from '../../dist/src/backends/select.js';
import { Optimizer } from '../../dist/src/training/optimizer.js';
import { createParameters, initialValues, parameterSpecs } from '../../dist/src/model/parameters.js';
import { encode, loss, maskedLmLogits } from '../../dist/src/model/roberta.js';
import { trainStep } from '../../dist/src/training/train-step.js';
import { key32, uniform } from '../../dist/src/ops/random.js';

const names = [
  'hidden',
  'layers',
  'heads',
  'intermediate',
  'vocab',
  'batch',
  'length',
  'backend',
  'precision',
  'device',
  'repeat',
];
const { values: options } = parseArgs({ options: Object.fromEntries(names.map((name) => [name, { type: 'string' }])) });
const number = (name) => Number(options[name]);

const root = process.env.RUN_PIPELINE_BACKENDS ?? join(homedir(), '.cache/run-pipeline/backends');
const backend = createBackendResolver({ root, gpus: options.device === 'cuda' ? 1 : 0 })(options.backend);
if (backend.device !== options.device)
  throw new Error(`the ${backend.name} backend that is set up cannot compute on ${options.device}`);
await openBackend(backend, options.precision);
const config = {
  vocab_size: number('vocab'),
  hidden_size: number('hidden'),
  num_hidden_layers: number('layers'),
  num_attention_heads: number('heads'),
  intermediate_size: number('intermediate'),
  max_position_embeddings: 514,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-5,
  initializer_range: 0.02,
};
const specs = parameterSpecs(config, { kind: 'masked-lm' });
const parameters = createParameters(specs, initialValues(specs, config, 0));
const optimizer = new Optimizer(parameters, {
  adam_beta1: 0.9,
  adam_beta2: 0.98,
  adam_epsilon: 1e-6,
  weight_decay: 0.01,
});
const model = { config, parameters };
const [batch, length] = [number('batch'), number('length')];
const input_ids = Int32Array.from(
  { length: batch * length },
  (_, i) => 5 + Math.floor(uniform(key32('ids'), i) * (config.vocab_size - 5)),
);
const positions = Int32Array.from([...input_ids.keys()].filter((i) => uniform(key32('masked'), i) < 0.15));
const labels = positions.map((at) => input_ids[at]);

let steps = 0;
function step() {
  const [start, busy] = [performance.now(), process.cpuUsage()];
  let result;
  for (let i = 0; i < number('repeat'); i++, steps++) {
    result = trainStep(
      optimizer,
      [
        () =>
          loss(
            maskedLmLogits(model, encode(model, { input_ids, batch, length }, key32('dropout', steps)), positions),
            labels,
            labels.length,
          ),
      ],
      1e-4,
    );
  }
  parameters.get('roberta.embeddings.LayerNorm.bias').dataSync(); // a GPU may still be at the update
  const { user, system } = process.cpuUsage(busy);
  return {
    ms: (performance.now() - start) / number('repeat'),
    cpu_ms: (user + system) / 1e3 / number('repeat'),
    loss: result.loss,
  };
}

console.log(JSON.stringify({ ready: `run-pipeline on ${backend.name} ${backend.version}, ${backend.device}` }));
for await (const line of createInterface({ input: process.stdin }))
  if (line === 'step') console.log(JSON.stringify(step()));
