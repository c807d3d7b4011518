import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isObject, readJson, unsupported, type Json } from './json-file.ts';
import { specialTokens, type AddedToken, type SpecialRole } from './model.ts';
import { addedToken, checkedId } from './vocabulary.ts';

/** A tokenizer's settings from the files next to its vocabulary, read as transformers' AutoTokenizer reads them. */
export interface TokenizerSettings {
  /**
   * What transformers uses of `tokenizer.json`. `file`: all of it. `vocabulary`: GPT-2's class takes vocabulary and
   * merges and creates the rest itself. `roberta`: so does RoBERTa's, which also always frames texts with `<s>` and
   * `</s>`.
   */
  readonly takes: 'file' | 'vocabulary' | 'roberta';
  readonly addPrefixSpace: boolean | undefined;
  /** `added_tokens_decoder` of `tokenizer_config.json`, which takes precedence over other files. */
  readonly declared: readonly AddedToken[] | undefined;
  /** `added_tokens.json`, of folders that have no `added_tokens_decoder`. */
  readonly legacy: readonly AddedToken[];
  /** More special tokens, in addition to those that have a role. */
  readonly extraSpecial: readonly string[];
  /** Declarations of the tokens that have a role, without their ids, when these are more than a name. */
  readonly roles: ReadonlyMap<string, Json>;
}

/** Classes of transformers that build a byte-level BPE from a vocabulary and merges. */
const classes: Readonly<Record<string, 'vocabulary' | 'roberta'>> = {
  RobertaTokenizer: 'roberta',
  LongformerTokenizer: 'roberta',
  BartTokenizer: 'roberta',
  GPT2Tokenizer: 'vocabulary',
};

/** The properties that name a special token, and RoBERTa's role of each. */
const roles: Readonly<Record<string, SpecialRole>> = {
  bos_token: 'bos',
  cls_token: 'bos',
  eos_token: 'eos',
  sep_token: 'eos',
  unk_token: 'unk',
  pad_token: 'pad',
  mask_token: 'mask',
};

const gpt2Defaults: Json = { bos_token: '<|endoftext|>', eos_token: '<|endoftext|>', unk_token: '<|endoftext|>' };

/** Files with settings of a tokenizer. */
export const settingsFiles = ['tokenizer_config.json', 'special_tokens_map.json', 'added_tokens.json'] as const;

export function readSettings(folder: string): TokenizerSettings {
  const path = join(folder, 'tokenizer_config.json');
  const config = optional(path);
  const model = optional(join(folder, 'config.json'));
  const named = config?.tokenizer_class ?? model?.tokenizer_class;
  const ofModel = model?.model_type === 'roberta' ? 'RobertaTokenizer' : '';
  const className = typeof named === 'string' ? named.replace(/Fast$/, '') : ofModel;
  const takes = classes[className] ?? 'file';

  const decoder = config?.added_tokens_decoder;
  const isLegacy = !isObject(decoder);
  const mapPath = join(folder, 'special_tokens_map.json');
  const map = isLegacy ? optional(mapPath) : undefined;
  if (takes === 'vocabulary') checkRoles({ ...gpt2Defaults, ...config, ...map }, `The class ${className} of ${path}`);
  for (const [where, source] of [
    [path, config],
    [mapPath, map],
  ] as const)
    if (source !== undefined) checkRoles(source, where);

  const extraSpecial = [
    ...new Set([config, map].flatMap((source) => (source === undefined ? [] : extraTokens(source)))),
  ];
  return {
    takes,
    addPrefixSpace: typeof config?.add_prefix_space === 'boolean' ? config.add_prefix_space : undefined,
    declared: isLegacy ? undefined : Object.entries(decoder).map(([id, token]) => addedToken(token, Number(id), path)),
    legacy: isLegacy ? legacyTokens(join(folder, 'added_tokens.json'), extraSpecial) : [],
    extraSpecial,
    roles: new Map(
      [config, map].flatMap((source) =>
        Object.keys(roles).flatMap((property) => {
          const token = source?.[property];
          return isObject(token) ? [[String(token.content), token]] : [];
        }),
      ),
    ),
  };
}

function optional(path: string): Json | undefined {
  if (!existsSync(path)) return undefined;
  const json = readJson(path);
  return 'value' in json ? json.value : unsupported(`${json.problem}.`, 'Download the file again, or remove it.');
}

/** Another token in a role would have a different id from the one that sequences, masks and padding use here. */
function checkRoles(source: Json, where: string): void {
  for (const [property, role] of Object.entries(roles)) {
    const token = contentOf(source[property]);
    if (token !== undefined && token !== specialTokens[role])
      unsupported(
        `${where} has ${JSON.stringify(token)} as ${property}; RoBERTa's is ${JSON.stringify(specialTokens[role])}.`,
        `RoBERTa's special tokens are ${Object.values(specialTokens).join(', ')}.`,
      );
  }
}

/** Special tokens that are listed, or named by their own property, like `image_token`. */
function extraTokens(source: Json): string[] {
  const listed = ['additional_special_tokens', 'extra_special_tokens'].flatMap((property) =>
    Object.values((source[property] ?? []) as Json | readonly unknown[]),
  );
  const named = Object.entries(source)
    .filter(([property]) => property.endsWith('_token') && !(property in roles))
    .map(([, value]) => value);
  return [...listed, ...named].flatMap((token) => contentOf(token) ?? []);
}

function contentOf(token: unknown): string | undefined {
  const content = isObject(token) ? token.content : token;
  return typeof content === 'string' ? content : undefined;
}

/** `added_tokens.json`: ids by token. */
function legacyTokens(path: string, extraSpecial: readonly string[]): AddedToken[] {
  const special = new Set<string>([...Object.values(specialTokens), ...extraSpecial]);
  return Object.entries(optional(path) ?? {}).map(([content, id]) =>
    addedToken({ content, special: special.has(content) }, checkedId(id, content, path), path),
  );
}
