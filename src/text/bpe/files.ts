import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../core/diagnostic.ts';
import { specialTokens, type BpeModel, type Merge, type SpecialRole } from './model.ts';

/** Longest input that `tokenizer_config.json` promises, in tokens; RoBERTa has 512 positions. */
const modelMaxLength = 512;

/**
 * Write a tokenizer as Hugging Face's RoBERTa folder: `tokenizer.json` (what `RobertaTokenizerFast` and `tokenizers`
 * read), `vocab.json` and `merges.txt` (GPT-2's form), and the two files that name the special tokens.
 */
export function writeTokenizer(folder: string, model: BpeModel): void {
  mkdirSync(folder, { recursive: true });
  const vocab = Object.fromEntries(model.tokens.map((token, id) => [token, id]));
  const merges = model.merges.map(({ left, right }) => `${model.tokens[left]} ${model.tokens[right]}`);
  const put = (name: string, value: unknown): void =>
    writeFileSync(join(folder, name), `${JSON.stringify(value, undefined, 1)}\n`);
  put('tokenizer.json', tokenizerJson(model, vocab, merges));
  writeFileSync(join(folder, 'vocab.json'), `${JSON.stringify(vocab)}\n`);
  writeFileSync(join(folder, 'merges.txt'), `${['#version: 0.2', ...merges].join('\n')}\n`);
  const roles = {
    bos_token: specialTokens.bos,
    eos_token: specialTokens.eos,
    sep_token: specialTokens.eos,
    cls_token: specialTokens.bos,
    unk_token: specialTokens.unk,
    pad_token: specialTokens.pad,
  };
  put('special_tokens_map.json', {
    ...roles,
    mask_token: { content: specialTokens.mask, lstrip: true, normalized: false, rstrip: false, single_word: false },
  });
  put('tokenizer_config.json', {
    tokenizer_class: 'RobertaTokenizer',
    model_max_length: modelMaxLength,
    add_prefix_space: model.addPrefixSpace,
    trim_offsets: true,
    errors: 'replace',
    ...roles,
    mask_token: specialTokens.mask,
  });
}

function tokenizerJson(model: BpeModel, vocab: Record<string, number>, merges: readonly string[]): object {
  const added = model.specialIds.map((id) => ({
    id,
    content: model.tokens[id],
    single_word: false,
    lstrip: id === model.special.mask,
    rstrip: false,
    normalized: false,
    special: true,
  }));
  const byteLevel = { type: 'ByteLevel', add_prefix_space: model.addPrefixSpace, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added,
    normalizer: null,
    pre_tokenizer: byteLevel,
    post_processor: {
      type: 'RobertaProcessing',
      sep: [specialTokens.eos, model.special.eos],
      cls: [specialTokens.bos, model.special.bos],
      trim_offsets: true,
      add_prefix_space: model.addPrefixSpace,
    },
    decoder: { ...byteLevel, add_prefix_space: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab,
      merges,
    },
  };
}

/** Whether a folder has the files of a tokenizer, of whatever kind. */
export function hasTokenizer(folder: string): boolean {
  return ['tokenizer.json', 'vocab.json'].some((file) => existsSync(join(folder, file)));
}

/** {@link loadTokenizer} of a model's folder, which may have none: fails with `no-tokenizer` then. */
export function loadModelTokenizer(folder: string): BpeModel {
  if (!hasTokenizer(folder))
    fail(
      'no-tokenizer',
      'The model comes without a tokenizer.',
      'Put tokenizer.json, or vocab.json and merges.txt, into the folder that it was imported from; the log of ' +
        'that stage says why one was left out.',
    );
  return loadTokenizer(folder);
}

interface TokenizerJson {
  readonly added_tokens?: readonly { readonly id: number; readonly content: string; readonly special?: boolean }[];
  readonly pre_tokenizer?: { readonly type?: string; readonly add_prefix_space?: boolean } | null;
  readonly model?: {
    readonly type?: string;
    readonly vocab?: Record<string, number>;
    readonly merges?: readonly (string | readonly [string, string])[];
  };
}

/**
 * Read a Hugging Face folder with a byte-level BPE: `tokenizer.json`, or `vocab.json` and `merges.txt`.
 * Fails with `unsupported-tokenizer` when it is another kind or lacks one of RoBERTa's special tokens.
 */
export function loadTokenizer(folder: string): BpeModel {
  const path = join(folder, 'tokenizer.json');
  if (existsSync(path)) return fromTokenizerJson(readJson<TokenizerJson>(path), path);
  const merges = join(folder, 'merges.txt');
  if (!existsSync(join(folder, 'vocab.json')) || !existsSync(merges))
    fail(
      'unsupported-tokenizer',
      `${folder} has neither tokenizer.json nor vocab.json and merges.txt.`,
      'Point to a Hugging Face RoBERTa tokenizer folder.',
    );
  const lines = readFileSync(merges, 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#version'));
  return buildModel(
    readJson<Record<string, number>>(join(folder, 'vocab.json')),
    lines.map(splitPair),
    [],
    false,
    folder,
  );
}

function fromTokenizerJson(json: TokenizerJson, path: string): BpeModel {
  const { model, pre_tokenizer: pre, added_tokens: added = [] } = json;
  if (model?.type !== 'BPE' || !model.vocab || !model.merges || pre?.type !== 'ByteLevel')
    return fail(
      'unsupported-tokenizer',
      `${path} is not a byte-level BPE (model ${model?.type ?? 'missing'}, pre-tokenizer ${pre?.type ?? 'missing'}).`,
      'Use a tokenizer of the RoBERTa or GPT-2 family.',
    );
  const vocab = { ...model.vocab, ...Object.fromEntries(added.map(({ content, id }) => [content, id])) };
  const merges = model.merges.map((merge) => (typeof merge === 'string' ? splitPair(merge) : merge));
  return buildModel(
    vocab,
    merges,
    added.filter((token) => token.special).map((token) => token.id),
    pre.add_prefix_space ?? true,
    path,
  );
}

function buildModel(
  vocab: Readonly<Record<string, number>>,
  pairs: readonly (readonly [string, string])[],
  declared: readonly number[],
  addPrefixSpace: boolean,
  where: string,
): BpeModel {
  const idOf = new Map(Object.entries(vocab));
  const tokens: string[] = [];
  for (const [token, id] of idOf) tokens[id] = token;
  for (let id = 0; id < tokens.length; id++) tokens[id] ??= '';
  const find = (token: string): number =>
    idOf.get(token) ??
    fail(
      'unsupported-tokenizer',
      `${where} has no token ${JSON.stringify(token)}.`,
      `RoBERTa needs ${Object.values(specialTokens).join(', ')} and the merged tokens in its vocabulary.`,
    );
  const merges = pairs.map(([left, right]): Merge => ({
    left: find(left),
    right: find(right),
    id: find(left + right),
  }));
  const special = Object.fromEntries(
    Object.entries(specialTokens).map(([role, token]) => [role, find(token)]),
  ) as Record<SpecialRole, number>;
  const specialIds = [...new Set([...Object.values(special), ...declared])].sort((a, b) => a - b);
  return { tokens, merges, special, specialIds, addPrefixSpace };
}

function splitPair(line: string): [string, string] {
  const space = line.indexOf(' ');
  return [line.slice(0, space), line.slice(space + 1).trimEnd()];
}

function readJson<T>(path: string): T {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as T;
  } catch (cause) {
    return fail('unsupported-tokenizer', `${path} cannot be read as JSON.`, 'Fetch the tokenizer folder again.', cause);
  }
}
