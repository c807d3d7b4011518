import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fail } from '../core/diagnostic.ts';
import { specialIds, type RobertaConfig } from './config.ts';
import { parameterSpecs, type Head, type ParameterSpec, type ParameterValues } from './parameters.ts';
import { readSafetensors, writeSafetensors, type HostTensor } from './safetensors.ts';

/** A model as its Hugging Face folder describes it, weights on the host in our layout. */
export interface LoadedModel {
  readonly config: RobertaConfig;
  readonly head: Head;
  /** Class names of a classifier, by id. */
  readonly labels: readonly string[];
  readonly values: Map<string, Float32Array>;
}

/** Files that make up a tokenizer; what a model folder carries besides weights and configuration. */
const tokenizerFiles = ['tokenizer.json', 'vocab.json', 'merges.txt', 'tokenizer_config.json', 'special_tokens_map.json'];

/** Write `config.json`, `model.safetensors` and the tokenizer's files, so that `from_pretrained` loads the folder. */
export function writeModel(folder: string, model: Omit<LoadedModel, 'values'> & { readonly values: ParameterValues }, tokenizerFolder: string): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), `${JSON.stringify(configJson(model.config, model.head, model.labels), undefined, 2)}\n`);
  const tensors = new Map<string, HostTensor>();
  for (const spec of parameterSpecs(model.config, model.head)) tensors.set(spec.name, outward(spec, model.values.get(spec.name) as Float32Array));
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  for (const file of tokenizerFiles) if (existsSync(join(tokenizerFolder, file))) copyFileSync(join(tokenizerFolder, file), join(folder, file));
}

/**
 * Read a Hugging Face RoBERTa folder. Fails with `unsupported-model` on another architecture, with `damaged-model` when a
 * tensor is missing or its shape is not what `config.json` calls for.
 */
export function readModel(folder: string): LoadedModel {
  const { config, head, labels } = readConfig(folder);
  const values = new Map<string, Float32Array>();
  const { path, tensors } = readWeights(folder);
  for (const spec of parameterSpecs(config, head)) {
    const stored = tensors.get(spec.name);
    const shape = spec.transposed ? [...spec.shape].reverse() : spec.shape;
    if (stored === undefined) fail('damaged-model', `${path} has no tensor ${spec.name}, which config.json calls for.`, 'Check that weights and config.json belong together.');
    else if (stored.shape.join() !== shape.join()) fail('damaged-model', `${path}: tensor ${spec.name} is [${stored.shape.join(', ')}], but config.json calls for [${shape.join(', ')}].`, 'Check that weights and config.json belong together.');
    else values.set(spec.name, spec.transposed ? transposed(stored.data, shape[0] as number, shape[1] as number) : stored.data);
  }
  return { config, head, labels, values };
}

function configJson(config: RobertaConfig, head: Head, labels: readonly string[]): Record<string, unknown> {
  return {
    architectures: [head.kind === 'masked-lm' ? 'RobertaForMaskedLM' : 'RobertaForSequenceClassification'],
    model_type: 'roberta', ...config, hidden_act: 'gelu', type_vocab_size: 1, position_embedding_type: 'absolute',
    pad_token_id: specialIds.pad, bos_token_id: specialIds.bos, eos_token_id: specialIds.eos,
    tie_word_embeddings: true, use_cache: false, torch_dtype: 'float32',
    ...(head.kind === 'classification'
      ? { id2label: Object.fromEntries(labels.map((label, id) => [String(id), label])), label2id: Object.fromEntries(labels.map((label, id) => [label, id])), problem_type: 'single_label_classification' }
      : {}),
  };
}

function readConfig(folder: string): Omit<LoadedModel, 'values'> {
  const path = join(folder, 'config.json');
  let json: Record<string, unknown> = {};
  try {
    json = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch (cause) {
    fail('damaged-model', `${path} cannot be read as JSON.`, 'Point to a Hugging Face model folder.', cause);
  }
  const unsupported = (what: string): never => fail('unsupported-model', `${path}: ${what}`, 'Use a RoBERTa model (model_type roberta, hidden_act gelu, type_vocab_size 1).');
  if (json.model_type !== 'roberta') unsupported(`model_type is ${JSON.stringify(json.model_type)}, not "roberta".`);
  if ((json.hidden_act ?? 'gelu') !== 'gelu') unsupported(`hidden_act is ${JSON.stringify(json.hidden_act)}, not "gelu".`);
  if (json.type_vocab_size !== 1) unsupported(`type_vocab_size is ${JSON.stringify(json.type_vocab_size)}, not 1.`);
  const number = (name: string): number => (typeof json[name] === 'number' ? json[name] : unsupported(`${name} is missing.`));
  const config: RobertaConfig = {
    vocab_size: number('vocab_size'), hidden_size: number('hidden_size'), num_hidden_layers: number('num_hidden_layers'),
    num_attention_heads: number('num_attention_heads'), intermediate_size: number('intermediate_size'),
    max_position_embeddings: number('max_position_embeddings'), hidden_dropout_prob: number('hidden_dropout_prob'),
    attention_probs_dropout_prob: number('attention_probs_dropout_prob'), layer_norm_eps: number('layer_norm_eps'),
    initializer_range: number('initializer_range'),
  };
  const architecture = (json.architectures as string[] | undefined)?.[0] ?? 'RobertaForMaskedLM';
  if (architecture !== 'RobertaForSequenceClassification') return { config, head: { kind: 'masked-lm' }, labels: [] };
  const names = Object.entries((json.id2label ?? { 0: 'LABEL_0', 1: 'LABEL_1' }) as Record<string, string>).sort(([a], [b]) => Number(a) - Number(b)).map(([, label]) => label);
  return { config, head: { kind: 'classification', labels: names.length }, labels: names };
}

/** Every tensor of a folder, from `model.safetensors` or from the shards that `model.safetensors.index.json` names. */
function readWeights(folder: string): { path: string; tensors: Map<string, HostTensor> } {
  const path = join(folder, 'model.safetensors');
  if (existsSync(path)) return { path, tensors: readSafetensors(path) };
  const index = join(folder, 'model.safetensors.index.json');
  if (!existsSync(index)) fail('damaged-model', `${folder} has no model.safetensors.`, 'Save the model with save_pretrained(…, safe_serialization=True), or run the stage that wrote it again.');
  const tensors = new Map<string, HostTensor>();
  for (const shard of shardsOf(index)) {
    const file = join(folder, shard);
    if (basename(shard) !== shard || !existsSync(file)) fail('damaged-model', `${index} names the shard ${JSON.stringify(shard)}, which is not in its folder.`, 'Fetch the missing file, or save the model again.');
    for (const [name, tensor] of readSafetensors(file)) tensors.set(name, tensor);
  }
  return { path: index, tensors };
}

function shardsOf(index: string): Set<string> {
  try {
    const { weight_map } = JSON.parse(readFileSync(index, 'utf8')) as { weight_map: Record<string, string> };
    return new Set(Object.values(weight_map));
  } catch (cause) {
    return fail('damaged-model', `${index} cannot be read as an index of shards.`, 'Fetch the file again, or save the model again.', cause);
  }
}

/** Hugging Face stores a linear weight as `[out, in]`. */
function outward({ shape, transposed: isTransposed }: ParameterSpec, data: Float32Array): HostTensor {
  if (!isTransposed) return { shape, data };
  const [from, to] = shape as [number, number];
  return { shape: [to, from], data: transposed(data, from, to) };
}

function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] as number;
  return out;
}
