import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../core/diagnostic.ts';
import { checkArchitecture, specialIds, type RobertaConfig } from './config.ts';
import type { Head } from './parameters.ts';

/** The contents of a model's `config.json`. */
export interface HfConfig {
  readonly config: RobertaConfig;
  /** Names of the classes, by id; none unless it is a classifier of texts into one class each. */
  readonly labels: readonly string[];
  /** The head that `architectures` names, if it is supported; otherwise the weights decide. */
  readonly head: Exclude<Head['kind'], 'encoder'> | undefined;
}

/** `model_type`s that differ in their tokenizers only. */
const families = ['roberta', 'xlm-roberta', 'camembert'];

/** Values that the encoder must have to be RoBERTa's; also the defaults of omitted fields. */
const required = {
  hidden_act: 'gelu',
  position_embedding_type: 'absolute',
  is_decoder: false,
  add_cross_attention: false,
  tie_word_embeddings: true,
  pad_token_id: specialIds.pad,
};

/** Defaults of `transformers` for omitted fields (its `RobertaConfig`, not the paper). */
const defaults: RobertaConfig = {
  vocab_size: 50265,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  max_position_embeddings: 512,
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  layer_norm_eps: 1e-12,
  initializer_range: 0.02,
  bos_token_id: specialIds.bos,
  eos_token_id: specialIds.eos,
};

/** Class that loads each kind of model. */
const classes = {
  'masked-lm': 'RobertaForMaskedLM',
  classification: 'RobertaForSequenceClassification',
  encoder: 'RobertaModel',
} as const satisfies Record<Head['kind'], string>;

/** More than any classifier has, so that a damaged file does not lead to an endless count. */
const maxLabels = 1_000_000;

type Json = Readonly<Record<string, unknown>>;

/** The JSON of a model of ours; what `transformers` needs to build the same one. */
export function configJson(config: RobertaConfig, head: Head, labels: readonly string[]): Json {
  return {
    architectures: [classes[head.kind]],
    model_type: 'roberta',
    bos_token_id: specialIds.bos,
    eos_token_id: specialIds.eos,
    pad_token_id: specialIds.pad,
    ...config,
    hidden_act: 'gelu',
    type_vocab_size: 1,
    position_embedding_type: 'absolute',
    tie_word_embeddings: true,
    use_cache: false,
    torch_dtype: 'float32',
    ...(head.kind === 'classification'
      ? {
          id2label: Object.fromEntries(labels.map((label, id) => [String(id), label])),
          label2id: Object.fromEntries(labels.map((label, id) => [label, id])),
          problem_type: 'single_label_classification',
        }
      : {}),
  };
}

/**
 * Read `config.json`. Fails with `damaged-model` when it is invalid, and with `unsupported-model`, naming every field,
 * when it describes another architecture.
 */
export function readConfig(folder: string): HfConfig {
  const path = join(folder, 'config.json');
  const json = parse(path, folder);
  const [, family, declared] =
    /^(Roberta|XLMRoberta|Camembert)(?:Model|For([A-Za-z]+))$/.exec(String([json.architectures].flat()[0])) ?? [];
  const isFamily = json.model_type === undefined ? family !== undefined : families.includes(String(json.model_type));
  if (!isFamily)
    unsupported(
      path,
      `model_type is ${JSON.stringify(json.model_type) ?? 'missing'}, not roberta, xlm-roberta or camembert`,
    );
  const differences = Object.entries(required).flatMap(([name, value]) =>
    json[name] === undefined || json[name] === null || json[name] === value
      ? []
      : [`${name} is ${JSON.stringify(json[name])}, not ${JSON.stringify(value)}`],
  );
  const numbers: Record<string, number> = {};
  for (const [name, value] of Object.entries(defaults)) {
    const given = json[name] ?? value;
    if (typeof given === 'number') numbers[name] = given;
    else differences.push(`${name} is ${JSON.stringify(given)}, not a number`);
  }
  differences.push(...checkArchitecture(numbers).map(({ message }) => message));
  if (differences.length > 0) unsupported(path, differences.join('; '));
  const labels = declared === 'SequenceClassification' ? labelsOf(json, path) : [];
  const head = declared === 'MaskedLM' ? 'masked-lm' : labels.length > 0 ? 'classification' : undefined;
  return { config: numbers as unknown as RobertaConfig, labels, head };
}

function parse(path: string, folder: string): Json {
  if (!existsSync(path))
    fail(
      'damaged-model',
      `${folder} has no config.json.`,
      'Point to a Hugging Face model folder, as written by save_pretrained.',
    );
  try {
    const json: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof json === 'object' && json !== null) return json as Json;
  } catch (cause) {
    fail('damaged-model', `${path} cannot be read as JSON.`, 'Download the file again.', cause);
  }
  return fail('damaged-model', `${path} is not a JSON object.`, 'Download the file again.');
}

/**
 * Names of a classifier's classes; none for a regression or several labels per text, for which this project has no
 * head.
 */
function labelsOf(json: Json, path: string): string[] {
  if (json.problem_type === 'regression' || json.problem_type === 'multi_label_classification') return [];
  const count = json.num_labels ?? 2;
  if (!Number.isSafeInteger(count) || Number(count) < 0 || Number(count) > maxLabels)
    fail(
      'damaged-model',
      `${path}: num_labels is ${JSON.stringify(count)}, which is not a number of classes.`,
      'Download the file again, or save the model again.',
    );
  const names =
    (json.id2label as Readonly<Record<string, unknown>> | null | undefined) ??
    Object.fromEntries(Array.from({ length: Number(count) }, (_, id) => [id, `LABEL_${id}`]));
  const sorted = Object.entries(names).sort(([a], [b]) => Number(a) - Number(b));
  const gap = sorted.findIndex(([id], at) => id !== String(at));
  if (gap >= 0)
    fail(
      'damaged-model',
      `${path}: id2label names the id ${JSON.stringify(sorted[gap]?.[0])} where ${gap} should be.`,
      'A classifier has the ids 0, 1, 2 and so on, one for each row of its head: save the model again.',
    );
  const labels = sorted.map(([, label]) => String(label));
  return labels.length > 1 ? labels : [];
}

function unsupported(path: string, what: string): never {
  fail(
    'unsupported-model',
    `${path} describes another architecture: ${what}.`,
    'Use a model of the architecture of roberta-base.',
  );
}
