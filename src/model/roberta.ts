import {
  add,
  concat,
  tanh,
  tensor1d,
  tensor3d,
  type Scalar,
  type Tensor1D,
  type Tensor2D,
  type Tensor3D,
} from '@tensorflow/tfjs-core';
import {
  attention,
  biasGelu,
  crossEntropy,
  dropout,
  embedding,
  layerNorm,
  linear,
  registerGradients,
  residualNorm,
  tiedDecoder,
} from '../ops/index.ts';
import { key32 } from '../ops/random.ts';
import { positionOffset, specialIds, type RobertaConfig } from './config.ts';
import type { Parameters } from './parameters.ts';

export interface Roberta {
  readonly config: RobertaConfig;
  readonly parameters: Parameters;
}

/** Token ids of `batch` sequences of `length`, row by row, padded with `<pad>`. */
export interface Batch {
  readonly input_ids: Int32Array;
  readonly batch: number;
  readonly length: number;
}

/** The key of this pass's dropout, or undefined when it is off. Call sites mix their own names in. */
export type DropoutKey = number | undefined;

/**
 * The encoder (Liu et al. 2019; BERT's post-layer-norm transformer, Devlin et al. 2018): `[batch·length, hidden]`.
 * n = batch·length below. Call inside `tidy` or a gradient function.
 */
export function encode(model: Roberta, batch: Batch, key: DropoutKey): Tensor2D {
  registerGradients();
  const { config } = model;
  const matrix = (name: string) => parameter(model, `${name}.weight`) as Tensor2D;
  const gain = (name: string) => parameter(model, `${name}.weight`) as Tensor1D;
  const bias = (name: string) => parameter(model, `${name}.bias`) as Tensor1D;
  const rates =
    key === undefined
      ? { hidden: 0, attention: 0 }
      : { hidden: config.hidden_dropout_prob, attention: config.attention_probs_dropout_prob };
  const site = (name: string) => key32(key ?? 0, name);
  // Query, key and value of every token in one product: [n, 3·hidden].
  const project = (x: Tensor2D, self: string) => {
    const names = ['query', 'key', 'value'].map((name) => `${self}.${name}`);
    return linear(x, concat(names.map(matrix), 1), concat(names.map(bias)));
  };
  // How both halves of a layer end: a dense layer, dropout, the residual connection, its layer norm.
  const finish = (x: Tensor2D, residual: Tensor2D, name: string) => {
    const [dense, norm] = [`${name}.dense`, `${name}.LayerNorm`];
    return residualNorm({
      x: linear(x, matrix(dense)),
      bias: bias(dense),
      residual,
      weight: gain(norm),
      shift: bias(norm),
      epsilon: config.layer_norm_eps,
      rate: rates.hidden,
      key: site(name),
    });
  };

  const embeddings = 'roberta.embeddings';
  const words = embedding(matrix(`${embeddings}.word_embeddings`), tensor1d(batch.input_ids, 'int32')); // [n, hidden]
  const positions = embedding(matrix(`${embeddings}.position_embeddings`), tensor1d(positionIds(batch), 'int32'));
  const types = embedding(
    matrix(`${embeddings}.token_type_embeddings`),
    tensor1d(new Int32Array(batch.input_ids.length), 'int32'),
  );
  const normed = layerNorm(
    add(add(words, types), positions),
    gain(`${embeddings}.LayerNorm`),
    bias(`${embeddings}.LayerNorm`),
    config.layer_norm_eps,
  );
  let x: Tensor2D = dropout(normed, rates.hidden, site(embeddings));

  const padding = paddingBias(batch);
  const shape = { batch: batch.batch, length: batch.length, heads: config.num_attention_heads };
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `roberta.encoder.layer.${i}`;
    const self = `${layer}.attention.self`;
    const context = attention(project(x, self), shape, padding, rates.attention, site(self));
    const attended = finish(context, x, `${layer}.attention.output`);
    const inner = biasGelu(
      linear(attended, matrix(`${layer}.intermediate.dense`)),
      bias(`${layer}.intermediate.dense`),
    ); // [n, intermediate]
    x = finish(inner, attended, `${layer}.output`);
  }
  return x;
}

/**
 * Scores over the vocabulary at some positions only (indices into n): `[positions, vocab]`. The decoder is the word
 * table.
 */
export function maskedLmLogits(model: Roberta, hidden: Tensor2D, positions: Int32Array): Tensor2D {
  const p = (name: string) => parameter(model, name);
  const picked = embedding(hidden, tensor1d(positions, 'int32')); // [m, hidden]
  const dense = biasGelu(linear(picked, p('lm_head.dense.weight') as Tensor2D), p('lm_head.dense.bias') as Tensor1D);
  const normed = layerNorm(
    dense,
    p('lm_head.layer_norm.weight') as Tensor1D,
    p('lm_head.layer_norm.bias') as Tensor1D,
    model.config.layer_norm_eps,
  );
  return tiedDecoder(normed, p('roberta.embeddings.word_embeddings.weight') as Tensor2D, p('lm_head.bias') as Tensor1D);
}

/** Scores over the classes from each sequence's `<s>`: `[batch, labels]`. */
export function classificationLogits(model: Roberta, hidden: Tensor2D, batch: Batch, key: DropoutKey): Tensor2D {
  const p = (name: string) => parameter(model, name);
  const drop = (x: Tensor2D, site: string) =>
    key === undefined ? x : dropout(x, model.config.hidden_dropout_prob, key32(key, site));
  const first = drop(firstOfEach(hidden, batch), 'classifier');
  const dense = tanh(
    linear(first, p('classifier.dense.weight') as Tensor2D, p('classifier.dense.bias') as Tensor1D),
  ) as Tensor2D;
  return linear(
    drop(dense, 'classifier.dense'),
    p('classifier.out_proj.weight') as Tensor2D,
    p('classifier.out_proj.bias') as Tensor1D,
  );
}

/** Scores of "follows" and "from elsewhere" from each pair's `<s>` (Devlin et al. 2018): `[batch, 2]`. */
export function nextSentenceLogits(model: Roberta, hidden: Tensor2D, batch: Batch): Tensor2D {
  const p = (name: string) => parameter(model, name);
  const pooled = tanh(
    linear(
      firstOfEach(hidden, batch),
      p('roberta.pooler.dense.weight') as Tensor2D,
      p('roberta.pooler.dense.bias') as Tensor1D,
    ),
  ) as Tensor2D;
  return linear(pooled, p('cls.seq_relationship.weight') as Tensor2D, p('cls.seq_relationship.bias') as Tensor1D);
}

/** The hidden state of each sequence's `<s>`: `[batch, hidden]`. */
function firstOfEach(hidden: Tensor2D, { batch, length }: Batch): Tensor2D {
  return embedding(
    hidden,
    tensor1d(
      Int32Array.from({ length: batch }, (_, row) => row * length),
      'int32',
    ),
  );
}

/** Summed cross-entropy over the rows, divided by `divisor`: the number of labels in the whole optimizer step. */
export function loss(logits: Tensor2D, labels: Int32Array, divisor: number): Scalar {
  return crossEntropy(logits, tensor1d(labels, 'int32'), divisor);
}

/**
 * Position ids: the running count of tokens that are not padding, plus the padding id; padding itself keeps the padding
 * id.
 */
export function positionIds({ input_ids, batch, length }: Batch): Int32Array {
  const ids = new Int32Array(input_ids.length).fill(specialIds.pad);
  for (let row = 0; row < batch; row++)
    for (let i = row * length, count = 0; i < (row + 1) * length; i++)
      if (input_ids[i] !== specialIds.pad) ids[i] = positionOffset + count++;
  return ids;
}

/** `[batch, 1, length]`: 0 where there is a token, very negative at padding; undefined when nothing is padding. */
function paddingBias({ input_ids, batch, length }: Batch): Tensor3D | undefined {
  if (!input_ids.includes(specialIds.pad)) return undefined;
  return tensor3d(
    Float32Array.from(input_ids, (id) => (id === specialIds.pad ? -1e9 : 0)),
    [batch, 1, length],
  );
}

function parameter(model: Roberta, name: string): Tensor2D | Tensor1D {
  const value = model.parameters.get(name);
  if (value === undefined) throw new TypeError(`the model has no parameter ${name}`);
  return value as unknown as Tensor2D;
}
