import { tensor, variable, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { fillNormal, key32 } from '../ops/random.ts';
import { specialIds, type RobertaConfig } from './config.ts';

/** What sits on top of the encoder; `encoder` for nothing. `next_sentence` adds BERT's head over the pooled `<s>`. */
export type Head =
  | { readonly kind: 'masked-lm'; readonly next_sentence?: true }
  | { readonly kind: 'classification'; readonly labels: number }
  | { readonly kind: 'encoder' };

export interface ParameterSpec {
  /** Hugging Face's name. */
  readonly name: string;
  /** Ours: a linear weight is `[in, out]`, the transpose of what Hugging Face stores. */
  readonly shape: readonly number[];
  readonly init: 'normal' | 'zeros' | 'ones';
  /** A linear weight, stored transposed in Hugging Face's files. */
  readonly transposed: boolean;
}

/** Values of a parameter on the host, in our layout. */
export type ParameterValues = ReadonlyMap<string, Float32Array>;
/** Parameters on the backend, by Hugging Face's names. */
export type Parameters = ReadonlyMap<string, Variable>;

/** Every parameter of a model, in the order of Hugging Face's state dict. */
export function parameterSpecs(config: RobertaConfig, head: Head): ParameterSpec[] {
  const { hidden_size: hidden, intermediate_size: inner, vocab_size } = config;
  const table = (name: string, rows: number): ParameterSpec => ({
    name: `${name}.weight`,
    shape: [rows, hidden],
    init: 'normal',
    transposed: false,
  });
  const linear = (name: string, from: number, to: number): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [from, to], init: 'normal', transposed: true },
    { name: `${name}.bias`, shape: [to], init: 'zeros', transposed: false },
  ];
  const norm = (name: string): ParameterSpec[] => [
    { name: `${name}.weight`, shape: [hidden], init: 'ones', transposed: false },
    { name: `${name}.bias`, shape: [hidden], init: 'zeros', transposed: false },
  ];
  const specs: ParameterSpec[] = [
    table('roberta.embeddings.word_embeddings', vocab_size),
    table('roberta.embeddings.position_embeddings', config.max_position_embeddings),
    table('roberta.embeddings.token_type_embeddings', 1),
    ...norm('roberta.embeddings.LayerNorm'),
  ];
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `roberta.encoder.layer.${i}`;
    specs.push(
      ...linear(`${layer}.attention.self.query`, hidden, hidden),
      ...linear(`${layer}.attention.self.key`, hidden, hidden),
      ...linear(`${layer}.attention.self.value`, hidden, hidden),
      ...linear(`${layer}.attention.output.dense`, hidden, hidden),
      ...norm(`${layer}.attention.output.LayerNorm`),
      ...linear(`${layer}.intermediate.dense`, hidden, inner),
      ...linear(`${layer}.output.dense`, inner, hidden),
      ...norm(`${layer}.output.LayerNorm`),
    );
  }
  if (head.kind === 'masked-lm') {
    specs.push(
      { name: 'lm_head.bias', shape: [vocab_size], init: 'zeros', transposed: false },
      ...linear('lm_head.dense', hidden, hidden),
      ...norm('lm_head.layer_norm'),
      ...(head.next_sentence
        ? [...linear('roberta.pooler.dense', hidden, hidden), ...linear('cls.seq_relationship', hidden, 2)]
        : []),
    );
  } else if (head.kind === 'classification') {
    specs.push(...linear('classifier.dense', hidden, hidden), ...linear('classifier.out_proj', hidden, head.labels));
  }
  return specs;
}

/**
 * N(0, initializer_range) weights, zero biases, zero rows for `<pad>`; each parameter's draw depends on its name and
 * the seed only.
 */
export function initialValues(
  specs: readonly ParameterSpec[],
  config: RobertaConfig,
  seed: number,
): Map<string, Float32Array> {
  const values = new Map<string, Float32Array>();
  for (const { name, shape, init } of specs) {
    const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
    if (init === 'ones') data.fill(1);
    if (init === 'normal') fillNormal(data, key32('init', seed, name), config.initializer_range);
    if (/\.(word|position)_embeddings\./.test(name))
      data.fill(0, specialIds.pad * config.hidden_size, (specialIds.pad + 1) * config.hidden_size);
    values.set(name, data);
  }
  return values;
}

/**
 * Move values to the backend; cpu keeps the arrays themselves, so that training changes them. Throws when one is
 * missing or has another size: a bug, or a file that was not checked.
 */
export function createParameters(specs: readonly ParameterSpec[], values: ParameterValues): Map<string, Variable> {
  const parameters = new Map<string, Variable>();
  for (const { name, shape } of specs) {
    const data = values.get(name);
    if (data === undefined) throw new TypeError(`no values for parameter ${name}`);
    const start: Tensor = tensor(data, [...shape], 'float32');
    parameters.set(name, variable(start));
    start.dispose();
  }
  return parameters;
}

export function readParameters(parameters: Parameters): Map<string, Float32Array> {
  return new Map([...parameters].map(([name, value]) => [name, Float32Array.from(value.dataSync())]));
}

export function disposeParameters(parameters: Parameters): void {
  for (const parameter of parameters.values()) parameter.dispose();
}

/** Number of scalars. */
export function countParameters(specs: readonly ParameterSpec[]): number {
  return specs.reduce((total, { shape }) => total + shape.reduce((a, b) => a * b, 1), 0);
}
