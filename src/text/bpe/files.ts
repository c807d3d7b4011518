import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../core/diagnostic.ts';
import { specialTokens, type BpeModel } from './model.ts';
import { readTokenizer } from './read-folder.ts';
import { settingsFiles } from './tokenizer-settings.ts';

/** Files that make up a tokenizer; a model folder contains them in addition to weights and configuration. */
export const tokenizerFiles: readonly string[] = ['tokenizer.json', 'vocab.json', 'merges.txt', ...settingsFiles];

/** Whether the tokenizer of a folder is read from the file of this name. */
export function isTokenizerFile(name: string): boolean {
  return tokenizerFiles.includes(name);
}

/** Longest input according to `tokenizer_config.json`, in tokens; RoBERTa has 512 positions. */
const modelMaxLength = 512;

/**
 * Write a tokenizer as Hugging Face's RoBERTa folder: `tokenizer.json` (what `RobertaTokenizerFast` and `tokenizers`
 * read), `vocab.json` and `merges.txt` (GPT-2's form), and the two files that name the special tokens.
 */
export function writeTokenizer(folder: string, model: BpeModel): void {
  mkdirSync(folder, { recursive: true });
  // An id without a token has an empty spelling, of which there can be only one.
  const vocab = Object.fromEntries(model.tokens.flatMap((token, id) => (token === '' ? [] : [[token, id]])));
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
  const byteLevel = { type: 'ByteLevel', add_prefix_space: model.addPrefixSpace, trim_offsets: true, use_regex: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: model.added,
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

/** Whether a folder has the files of a tokenizer of any kind. */
export function hasTokenizer(folder: string): boolean {
  return ['tokenizer.json', 'vocab.json'].some((file) => existsSync(join(folder, file)));
}

/** {@link loadTokenizer} of a model's folder, which may have none: fails with `no-tokenizer` then. */
export function loadModelTokenizer(folder: string): BpeModel {
  if (!hasTokenizer(folder))
    fail(
      'no-tokenizer',
      'The model does not have a tokenizer.',
      'Put tokenizer.json, or vocab.json and merges.txt, into the folder that it was imported from; the log of ' +
        'that stage says why there is none.',
    );
  return loadTokenizer(folder);
}

/** The tokenizer of a folder: {@link readTokenizer} without its notes. */
export function loadTokenizer(folder: string): BpeModel {
  return readTokenizer(folder).model;
}
