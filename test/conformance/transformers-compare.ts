import { memory, tidy, variableGrads, type Scalar, type Tensor2D } from '@tensorflow/tfjs-core';
import { openBackend, type Precision } from '../../src/backends/select.ts';
import type { BackendChoice } from '../../src/core/backend.ts';
import type { RobertaConfig } from '../../src/model/config.ts';
import {
  createParameters,
  disposeParameters,
  parameterSpecs,
  type Head,
  type ParameterSpec,
} from '../../src/model/parameters.ts';
import {
  classificationLogits,
  encode,
  loss,
  maskedLmLogits,
  type Batch,
  type Roberta,
} from '../../src/model/roberta.ts';
import { readSafetensors } from '../../src/model/safetensors.ts';
import { draw32 } from '../../src/ops/random.ts';

/** What configurations here have in common. */
export const common = {
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-5,
  initializer_range: 0.02,
};
export interface LabelledBatch extends Batch {
  /** Labels of all positions, -100 where there is none; or one of each sequence. */
  readonly labels: readonly number[];
}

/** Sequences of random tokens, each three shorter than the one before when `padded`; every third token has a label. */
export function makeBatch(
  { vocab_size }: RobertaConfig,
  { kind }: Head,
  padded: boolean,
  key: number,
  [batch, length]: readonly [rows: number, tokens: number] = [3, 12],
): LabelledBatch {
  const input_ids = Int32Array.from({ length: batch * length }, (_, i) =>
    padded && i % length >= length - 3 * Math.floor(i / length)
      ? 1
      : i % length === 0
        ? 0
        : 4 + (draw32(key, i) % (vocab_size - 4)),
  );
  return {
    input_ids,
    batch,
    length,
    labels:
      kind === 'masked-lm'
        ? [...input_ids].map((id, i) => (id !== 1 && i % 3 === 1 ? (id + 7) % vocab_size : -100))
        : Array.from({ length: batch }, (_, row) => (row * 2 + 2) % 3),
  };
}

/** A batch as the oracle takes it. */
export function rowsOf({ input_ids, batch, length, labels }: LabelledBatch): {
  input_ids: number[][];
  labels: unknown;
} {
  const split = (values: ArrayLike<number>) =>
    Array.from({ length: batch }, (_, row) => Array.from(values).slice(row * length, (row + 1) * length));
  return { input_ids: split(input_ids), labels: labels.length === batch ? labels : split(labels) };
}

/** Mean loss of a batch without dropout, from the labelled positions only, as the model computes it in training. */
export function lossOf(model: Roberta, batch: LabelledBatch): Scalar {
  const hidden = encode(model, batch, undefined);
  if (batch.labels.length === batch.batch)
    return loss(classificationLogits(model, hidden, batch, undefined), Int32Array.from(batch.labels), batch.batch);
  const positions = Int32Array.from(batch.labels.keys()).filter((i) => batch.labels[i] !== -100);
  return loss(
    maskedLmLogits(model, hidden, positions),
    positions.map((at) => batch.labels[at] as number),
    positions.length,
  );
}

/** A model, its weights in our layout, and what it is given. */
export interface Setting {
  readonly config: RobertaConfig;
  readonly head: Head;
  readonly batch: LabelledBatch;
  readonly values: Map<string, Float32Array>;
}

/** Tensors by name, laid out as Hugging Face has them. */
export type Values = ReadonlyMap<string, ArrayLike<number>>;

/** What the oracle wrote. */
export function answerOf(path: string, { input_ids, labels, batch }: LabelledBatch): Values {
  const answer = new Map([...readSafetensors(path)].map(([name, { data }]): [string, Float32Array] => [name, data]));
  const logits = answer.get('logits') as Float32Array;
  const width = logits.length / input_ids.length;
  // What comes out at padding is nobody's business.
  if (labels.length !== batch)
    answer.set(
      'logits',
      logits.filter((_, i) => input_ids[Math.floor(i / width)] !== 1),
    );
  return answer;
}

/** Logits, loss and gradients of ours, laid out as Hugging Face has them. */
export async function ours(
  { config, head, batch, values }: Setting,
  backend: BackendChoice,
  precision: Precision,
): Promise<Values> {
  await openBackend(backend, precision);
  const before = memory().numTensors;
  const specs = parameterSpecs(config, head);
  const parameters = createParameters(specs, values);
  const model: Roberta = { config, parameters };
  const tokens = Int32Array.from(batch.input_ids.keys()).filter((i) => batch.input_ids[i] !== 1);
  const logits = tidy(() => {
    const hidden = encode(model, batch, undefined);
    return (
      head.kind === 'masked-lm'
        ? maskedLmLogits(model, hidden, tokens)
        : (classificationLogits(model, hidden, batch, undefined) as Tensor2D)
    ).dataSync();
  });
  const { value, grads } = variableGrads(() => lossOf(model, batch), [...parameters.values()]);
  const answer = new Map<string, ArrayLike<number>>([
    ['logits', logits],
    ['loss', value.dataSync()],
  ]);
  for (const spec of specs)
    answer.set(`gradient/${spec.name}`, outward(spec, grads[parameters.get(spec.name)!.name]!.dataSync()));
  for (const gradient of Object.values(grads)) gradient.dispose();
  value.dispose();
  disposeParameters(parameters);
  if (memory().numTensors !== before) throw new Error(`${memory().numTensors - before} tensors are left behind`);
  return answer;
}

// Loops: there are 125 million of them, and a call for each takes minutes.
export function outward({ shape, transposed }: ParameterSpec, values: ArrayLike<number>): ArrayLike<number> {
  if (!transposed) return values;
  const [rows, columns] = shape as [number, number];
  const out = new Float32Array(values.length);
  for (let r = 0; r < rows; r++)
    for (let c = 0; c < columns; c++) out[c * rows + r] = values[r * columns + c] as number;
  return out;
}

/** ‖a − b‖; ‖a‖ without b. */
export function distance(a: ArrayLike<number>, b?: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += ((a[i] as number) - (b?.[i] ?? 0)) ** 2;
  return Math.sqrt(sum);
}

/** ‖ours − theirs‖ / ‖theirs‖ of each tensor. */
export function errors(actual: Values, expected: Values): Record<string, number> {
  const names = (of: Values) => [...of.keys()].sort().join(', ');
  if (names(actual) !== names(expected)) throw new Error(`${names(actual)} instead of ${names(expected)}`);
  return Object.fromEntries(
    [...expected].map(([name, values]) => {
      const found = actual.get(name) as ArrayLike<number>;
      if (found.length !== values.length) throw new Error(`${name} has ${found.length} values, not ${values.length}`);
      // Softmax does not see a key's bias, so its true gradient is 0 and what is left is rounding, in the measure of
      // its weight's.
      return [
        name,
        distance(found, values) / distance(expected.get(name.replace('key.bias', 'key.weight')) as ArrayLike<number>),
      ];
    }),
  );
}

/** The largest error of the tensors whose names begin so. */
export function worst(all: Record<string, number>, prefix: string): [string, number] {
  return Object.entries(all)
    .filter(([name]) => name.startsWith(prefix))
    .reduce((a, b) => (b[1] > a[1] || Number.isNaN(b[1]) ? b : a));
}
