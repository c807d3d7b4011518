import { Optimizer } from '../../dist/src/training/optimizer.js';
import { createParameters, initialValues, parameterSpecs } from '../../dist/src/model/parameters.js';
import { encode, loss, maskedLmLogits } from '../../dist/src/model/roberta.js';
import { trainStep } from '../../dist/src/training/train-step.js';
import { key32, uniform } from '../../dist/src/ops/random.js';

/**
 * Training on made-up tokens, 15% of them masked, on the backend that is open: `step()` makes one whole step with
 * dropout 0.1 and returns its loss.
 */
export function madeUpTraining({ hidden, layers, heads, intermediate, vocab, batch, length }) {
  const config = {
    vocab_size: vocab,
    hidden_size: hidden,
    num_hidden_layers: layers,
    num_attention_heads: heads,
    intermediate_size: intermediate,
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
  const input_ids = Int32Array.from(
    { length: batch * length },
    (_, i) => 5 + Math.floor(uniform(key32('ids'), i) * (vocab - 5)),
  );
  const positions = Int32Array.from([...input_ids.keys()].filter((i) => uniform(key32('masked'), i) < 0.15));
  const labels = positions.map((at) => input_ids[at]);
  let steps = 0;
  const lossOf = () => {
    const encoded = encode(model, { input_ids, batch, length }, key32('dropout', steps));
    return loss(maskedLmLogits(model, encoded, positions), labels, labels.length);
  };
  const step = () => {
    const result = trainStep(optimizer, [lossOf], 1e-4);
    steps++;
    return result.loss;
  };
  return { parameters, step };
}
