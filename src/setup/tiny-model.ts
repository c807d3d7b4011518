import { openBackend } from '../backends/select.ts';
import type { BackendChoice, BackendName } from '../core/backend.ts';
import { positionOffset, presets, type RobertaConfig } from '../model/config.ts';
import { Optimizer } from '../training/optimizer.ts';
import { createParameters, disposeParameters, initialValues, parameterSpecs } from '../model/parameters.ts';
import { encode, loss, maskedLmLogits, type Roberta } from '../model/roberta.ts';
import { trainStep } from '../training/train-step.ts';
import { draw32, key32 } from '../ops/random.ts';

const [batch, length] = [2, 32];
const config: RobertaConfig = {
  ...presets.tiny,
  vocab_size: 512,
  max_position_embeddings: length + positionOffset,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-5,
  initializer_range: 0.02,
};

/**
 * Loss of a tiny model on a backend before each of N AdamW steps on made-up tokens. Dropout is on, and identical on
 * every backend.
 */
export async function losses(backend: BackendName | BackendChoice, steps = 2): Promise<number[]> {
  await openBackend(backend);
  const specs = parameterSpecs(config, { kind: 'masked-lm' });
  const parameters = createParameters(specs, initialValues(specs, config, 1));
  const optimizer = new Optimizer(parameters, {
    adam_beta1: 0.9,
    adam_beta2: 0.98,
    adam_epsilon: 1e-6,
    weight_decay: 0.01,
  });
  const model: Roberta = { config, parameters };
  const input_ids = Int32Array.from(
    { length: batch * length },
    (_, i) => 4 + (draw32(key32('tokens'), i) % (config.vocab_size - 4)),
  );
  const positions = Int32Array.from({ length: 10 }, (_, i) => i * 6);
  const labels = positions.map((position) => input_ids[position] ?? 0);
  const step = (): number =>
    trainStep(
      optimizer,
      [
        () =>
          loss(
            maskedLmLogits(model, encode(model, { input_ids, batch, length }, key32('dropout')), positions),
            labels,
            labels.length,
          ),
      ],
      1e-3,
    ).loss;
  const found = Array.from({ length: steps }, step);
  optimizer.dispose();
  disposeParameters(parameters);
  return found;
}
