import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../core/diagnostic.ts';
import { isTokenizerFile, tokenizerFiles } from '../text/bpe/files.ts';
import { maxTokens, type RobertaConfig } from './config.ts';
import { configJson, readConfig, type HfConfig } from './hf-config.ts';
import { checkWeights, listed, openWeights, storedShape, tokenTypes, type HfWeights } from './hf-weights.ts';
import { parameterSpecs, type Head, type ParameterSpec, type ParameterValues } from './parameters.ts';
import { writeSafetensors, type HostTensor, type StoredTensor } from './safetensors.ts';

/** A model as described by its Hugging Face folder, with weights on the host in our layout. */
export interface LoadedModel {
  readonly config: RobertaConfig;
  readonly head: Head;
  /** Class names of a classifier, by id. */
  readonly labels: readonly string[];
  readonly values: Map<string, Float32Array>;
  /** Sentences about what in the folder was changed or is missing in `values`. */
  readonly notes: readonly string[];
}

/** Whether the file of this name in a model folder is read here. */
export function isModelFile(name: string): boolean {
  return name === 'config.json' || /^model.*\.safetensors(\.index\.json)?$/.test(name) || isTokenizerFile(name);
}

/** Write `config.json`, `model.safetensors` and the tokenizer's files, so that `from_pretrained` loads the folder. */
export function writeModel(
  folder: string,
  model: Pick<LoadedModel, 'config' | 'head' | 'labels'> & { readonly values: ParameterValues },
  tokenizerFolder: string,
): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'config.json'),
    `${JSON.stringify(configJson(model.config, model.head, model.labels), undefined, 2)}\n`,
  );
  const tensors = new Map<string, HostTensor>();
  for (const spec of parameterSpecs(model.config, model.head))
    tensors.set(spec.name, outward(spec, model.values.get(spec.name) as Float32Array));
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  copyTokenizer(tokenizerFolder, folder);
  limitTokenizer(join(folder, 'tokenizer_config.json'), maxTokens(model.config));
}

/** A tokenizer works for models of any length; in a model folder, it must cut texts to the positions of this model. */
function limitTokenizer(path: string, model_max_length: number): void {
  if (!existsSync(path)) return;
  const settings = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  writeFileSync(path, `${JSON.stringify({ ...settings, model_max_length }, undefined, 2)}\n`);
}

function copyTokenizer(from: string, to: string): void {
  for (const file of tokenizerFiles) if (existsSync(join(from, file))) copyFileSync(join(from, file), join(to, file));
}

/**
 * Read a Hugging Face folder of RoBERTa's architecture: float32, float16 or bfloat16, in one file or in shards. Fails
 * with `unsupported-model` on another architecture, with `damaged-model` when tensors are missing or do not fit
 * `config.json`.
 */
export function readModel(folder: string): LoadedModel {
  const described = readConfig(folder);
  const { config } = described;
  const weights = openWeights(folder);
  const { head, labels } = headOf(described, weights);
  const specs = parameterSpecs(config, head);
  const unused = checkWeights(weights, specs);
  const values = new Map<string, Float32Array>();
  for (const spec of specs) values.set(spec.name, inward(spec, weights.tensors.get(spec.name) as StoredTensor));
  return { config, head, labels, values, notes: notesOf(weights, specs, unused) };
}

/** Fails with `damaged-model` when a value is infinite or not a number. */
export function checkFinite({ values }: Pick<LoadedModel, 'values'>): void {
  for (const [name, data] of values)
    if (!allFinite(data))
      fail(
        'damaged-model',
        `Tensor ${name} has a value that is not finite.`,
        'Train again with a lower learning rate, or download the model again.',
      );
}

function allFinite(data: Float32Array): boolean {
  let sum = 0; // stays 0, or becomes NaN
  for (let i = 0; i < data.length; i++) sum += (data[i] as number) * 0;
  return sum === 0;
}

/** The head that the folder declares; if that is not supported, a masked-LM head if it has one. */
function headOf({ head, labels }: HfConfig, { tensors }: HfWeights): Pick<LoadedModel, 'head' | 'labels'> {
  if (head === 'classification') return { head: { kind: 'classification', labels: labels.length }, labels };
  if (head !== 'masked-lm' && !tensors.has('lm_head.dense.weight')) return { head: { kind: 'encoder' }, labels: [] };
  const hasPairHead = tensors.has('roberta.pooler.dense.weight') && tensors.has('cls.seq_relationship.weight');
  return { head: { kind: 'masked-lm', ...(hasPairHead ? { next_sentence: true } : {}) }, labels: [] };
}

function notesOf({ tensors }: HfWeights, specs: readonly ParameterSpec[], unused: readonly string[]): string[] {
  const types = [...new Set(specs.map(({ name }) => tensors.get(name)?.dtype ?? 'F32'))].filter(
    (type) => type !== 'F32',
  );
  const rows = tensors.get(tokenTypes)?.shape[0] ?? 1;
  return [
    ...(types.length > 0 ? [`${types.join(' and ')} weights were widened to float32`] : []),
    ...(rows > 1 ? [`of ${rows} token types, only the first was kept: RoBERTa's inputs have no other`] : []),
    ...(unused.length > 0 ? [`ignored, because they are not used here: ${listed(unused)}`] : []),
  ];
}

/**
 * A parameter as stored in the file; transposed when it is written, because a copy of all would need the model's memory
 * again.
 */
function outward(spec: ParameterSpec, data: Float32Array): HostTensor {
  const [from, to] = spec.shape as [number, number];
  return {
    shape: storedShape(spec),
    get data() {
      return spec.transposed ? transposed(data, from, to) : data;
    },
  };
}

function inward(spec: ParameterSpec, tensor: StoredTensor): Float32Array {
  const data = tensor.read();
  if (spec.name === tokenTypes) return data.slice(0, spec.shape[1]);
  return spec.transposed ? transposed(data, tensor.shape[0] as number, tensor.shape[1] as number) : data;
}

function transposed(data: Float32Array, rows: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let r = 0; r < rows; r++) for (let c = 0; c < columns; c++) out[c * rows + r] = data[r * columns + c] as number;
  return out;
}
