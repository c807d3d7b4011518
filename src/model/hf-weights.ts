import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fail } from '../core/diagnostic.ts';
import type { ParameterSpec } from './parameters.ts';
import { openSafetensors, type StoredTensor } from './safetensors.ts';

/** The weights of a Hugging Face folder, by the names that `RobertaForMaskedLM` and the classifiers have. */
export interface HfWeights {
  /** The file, or the index of the shards. */
  readonly path: string;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Other names under which a tied tensor may have been saved. */
const tied: readonly (readonly [name: string, other: string])[] = [
  ['roberta.embeddings.word_embeddings.weight', 'lm_head.decoder.weight'],
  ['lm_head.bias', 'lm_head.decoder.bias'],
];

export const tokenTypes = 'roberta.embeddings.token_type_embeddings.weight';

/** Redundant tensors: constants, and the decoder's, which are the word table and `lm_head.bias`. */
const redundant = /^(roberta\.embeddings\.(position_ids|token_type_ids)|lm_head\.decoder\.(weight|bias))$/;

/**
 * Find the tensors of a folder in `model.safetensors`, or in the shards that `model.safetensors.index.json` names;
 * values are not read.
 */
export function openWeights(folder: string): HfWeights {
  const { path, stored } = locate(folder);
  // A RobertaModel that was saved by itself has no prefix.
  const bare = stored.has('embeddings.word_embeddings.weight');
  const tensors = new Map(
    [...stored].map(([name, tensor]) => [
      bare && /^(embeddings|encoder|pooler)\./.test(name) ? `roberta.${name}` : name,
      tensor,
    ]),
  );
  for (const [name, other] of tied) {
    const tensor = tensors.get(other);
    if (!tensors.has(name) && tensor !== undefined) tensors.set(name, tensor);
  }
  return { path, tensors };
}

/**
 * Fails with `damaged-model` when tensors are missing or of other shapes than the parameters, and with
 * `unsupported-model` when the encoder has tensors that RoBERTa's does not have. Returns the names of those outside it
 * that are not used here.
 */
export function checkWeights({ path, tensors }: HfWeights, specs: readonly ParameterSpec[]): string[] {
  const help = 'Check that weights and config.json belong together, and download or save the model again.';
  const missing = specs.filter(({ name }) => !tensors.has(name)).map(({ name }) => name);
  if (missing.length > 0)
    fail(
      'damaged-model',
      `${path} does not have ${missing.length} of the ${specs.length} tensors in config.json: ${listed(missing)}.`,
      help,
    );
  const unfit = specs.flatMap((spec) => {
    const { shape } = tensors.get(spec.name) as StoredTensor;
    // RoBERTa's inputs are all of type 0, so a table with more types does no harm.
    const wanted = spec.name === tokenTypes ? [Math.max(1, shape[0] ?? 1), ...spec.shape.slice(1)] : storedShape(spec);
    return shape.join() === wanted.join()
      ? []
      : [`${spec.name} is [${shape.join(', ')}] instead of [${wanted.join(', ')}]`];
  });
  if (unfit.length > 0)
    fail(
      'damaged-model',
      `${path} has ${unfit.length} tensors with other shapes than config.json requires: ${listed(unfit)}.`,
      help,
    );
  const known = new Set(specs.map(({ name }) => name));
  const others = [...tensors.keys()].filter((name) => !known.has(name) && !redundant.test(name)).sort();
  const inside = others.filter((name) => /^roberta\.(embeddings|encoder)\./.test(name));
  if (inside.length > 0)
    fail(
      'unsupported-model',
      `${path} has tensors that are not part of the encoder described in config.json: ${listed(inside)}.`,
      'Use a plain RoBERTa model; adapters can be merged with merge_and_unload() of peft.',
    );
  return others;
}

/** Hugging Face stores a linear weight as `[out, in]`. */
export function storedShape({ shape, transposed }: ParameterSpec): readonly number[] {
  return transposed ? [...shape].reverse() : shape;
}

/** The first three of many items, and the number of others. */
export function listed(items: readonly string[]): string {
  return items.length <= 4 ? items.join(', ') : `${items.slice(0, 3).join(', ')} and ${items.length - 3} more`;
}

function locate(folder: string): { path: string; stored: Map<string, StoredTensor> } {
  const path = join(folder, 'model.safetensors');
  if (existsSync(path)) return { path, stored: openSafetensors(path) };
  const index = join(folder, 'model.safetensors.index.json');
  if (!existsSync(index)) missingWeights(folder);
  const stored = new Map<string, StoredTensor>();
  for (const shard of shardsOf(index)) {
    const file = join(folder, shard);
    if (basename(shard) !== shard || !existsSync(file))
      fail(
        'damaged-model',
        `${index} names the shard ${JSON.stringify(shard)}, which is not in its folder.`,
        'Download the missing file, or save the model again.',
      );
    for (const [name, tensor] of openSafetensors(file)) stored.set(name, tensor);
  }
  return { path: index, stored };
}

function missingWeights(folder: string): never {
  const other = readdirSync(folder).find((name) =>
    /^(pytorch_model.*\.bin|tf_model.*\.h5|flax_model.*\.msgpack)$/.test(name),
  );
  if (other === undefined)
    fail(
      'damaged-model',
      `${folder} has neither model.safetensors nor model.safetensors.index.json.`,
      'Point to a Hugging Face model folder, as written by save_pretrained.',
    );
  return fail(
    'unsupported-model',
    `${folder} has its weights in ${other}, but not in model.safetensors.`,
    'Load the folder with from_pretrained in Python and save it with save_pretrained, which writes safetensors.',
  );
}

function shardsOf(index: string): Set<string> {
  try {
    const { weight_map } = JSON.parse(readFileSync(index, 'utf8')) as { weight_map: Record<string, string> };
    return new Set(Object.values(weight_map));
  } catch (cause) {
    return fail(
      'damaged-model',
      `${index} cannot be read as an index of shards.`,
      'Download the file again, or save the model again.',
      cause,
    );
  }
}
