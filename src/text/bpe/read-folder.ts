import { join } from 'node:path';
import { alphabet } from './bytes.ts';
import { unsupported } from './json-file.ts';
import { specialToken, specialTokens, type AddedToken, type BpeModel, type Merge, type SpecialRole } from './model.ts';
import { comparePostProcessor } from './post-processor.ts';
import { readSettings, type TokenizerSettings } from './tokenizer-settings.ts';
import { addedToken, readVocabulary, type Vocabulary } from './vocabulary.ts';

/** A tokenizer that was read, and sentences about what its files have and it does not. */
export interface TokenizerFolder {
  readonly model: BpeModel;
  readonly notes: readonly string[];
}

/**
 * Read a Hugging Face folder with a byte-level BPE, so that texts get the ids that transformers' AutoTokenizer gives
 * them. Fails with `unsupported-tokenizer`, naming the file, when it is another kind, does not have all of RoBERTa's
 * special tokens, or does anything to texts that is not supported here.
 */
export function readTokenizer(folder: string): TokenizerFolder {
  const settings = readSettings(folder);
  const vocabulary = readVocabulary(folder);
  const { path, ids, json, notes } = vocabulary;
  const added = addedTokens(vocabulary, settings, folder);
  const merges = mergesOf(vocabulary);
  const all = new Map([...ids, ...added.map(({ content, id }): [string, number] => [content, id])]);
  const special = Object.fromEntries(
    Object.entries(specialTokens).map(([role, token]) => [role, all.get(token) ?? missing(path, token)]),
  ) as Record<SpecialRole, number>;
  for (const char of alphabet) if (!ids.has(char)) missing(path, char);

  const tokens: string[] = [];
  for (const [token, id] of all) tokens[id] = token;
  for (let id = 0; id < tokens.length; id++) tokens[id] ??= '';
  const declared = new Set(added.map(({ content }) => content));
  const undeclared = Object.values(specialTokens).filter((token) => !declared.has(token));
  const ofRole = (token: string): AddedToken => {
    const [said, id] = [settings.roles.get(token), all.get(token)!];
    return said === undefined ? specialToken(token, id) : addedToken({ ...said, special: true }, id, path);
  };
  const contents = new Set<string>(Object.values(specialTokens));
  const everyAdded = [...added, ...undeclared.map(ofRole)]
    .sort(byId)
    .map((token) => (contents.has(token.content) ? { ...token, special: true } : token));
  return {
    model: {
      tokens,
      merges,
      special,
      specialIds: everyAdded.filter((token) => token.special).map(({ id }) => id),
      added: everyAdded,
      addPrefixSpace: addsPrefixSpace(vocabulary, settings, folder),
    },
    notes: [
      ...notes,
      ...(json === undefined
        ? []
        : comparePostProcessor(json.postProcessor, special, path, settings.takes === 'roberta')),
    ],
  };
}

/** Every token that files declare as added, in order of ids, with the ids that `tokenizers` gives them. */
function addedTokens({ path, ids, json }: Vocabulary, settings: TokenizerSettings, folder: string): AddedToken[] {
  const inFile = byContent(json?.added ?? []);
  const others = byContent(settings.declared ?? settings.legacy);
  const othersPath = join(folder, settings.declared === undefined ? 'added_tokens.json' : 'tokenizer_config.json');
  const differ = (content: string, how: string): never =>
    unsupported(
      `${path} and ${othersPath} differ: the added token ${JSON.stringify(content)} ${how}.`,
      'Load the tokenizer in Python and save it with save_pretrained, so that its files agree.',
    );
  const tokens = new Map(inFile);
  for (const [content, token] of others) {
    const same = inFile.get(content);
    if (same !== undefined && same.id !== token.id)
      differ(content, `has the id ${same.id} in one and ${token.id} in the other`);
    // tokenizer_config.json has all properties of a token; added_tokens.json only its id.
    if (same === undefined || settings.declared !== undefined) tokens.set(content, token);
  }
  // A class that only takes the vocabulary drops tokens that tokenizer_config.json does not list.
  if (settings.declared !== undefined)
    for (const content of inFile.keys()) if (!others.has(content)) differ(content, 'is in the first only');
  return withExtra(checkIds([...tokens.values()].sort(byId), ids, path), settings, ids);
}

function byContent(tokens: readonly AddedToken[]): Map<string, AddedToken> {
  return new Map(tokens.map((token) => [token.content, token]));
}

/**
 * A token has the id that its vocabulary gives it, or the next one, even if a file that was edited by hand says
 * otherwise.
 */
function checkIds(tokens: readonly AddedToken[], ids: ReadonlyMap<string, number>, path: string): AddedToken[] {
  let next = ids.size;
  for (const { content, id } of tokens) {
    const given = ids.get(content) ?? next;
    if (id !== given)
      unsupported(
        `${path}: the added token ${JSON.stringify(content)} is said to have the id ${id}, but gets ${given} in ` +
          'transformers.',
        'Added tokens that are not in the vocabulary have consecutive ids after it.',
      );
    next = Math.max(next, given + 1);
  }
  return [...tokens];
}

/** Adds the special tokens that settings only name; those that are not in the vocabulary come after it. */
function withExtra(
  tokens: readonly AddedToken[],
  { extraSpecial }: TokenizerSettings,
  ids: ReadonlyMap<string, number>,
): AddedToken[] {
  const all = tokens.map((token) => (extraSpecial.includes(token.content) ? { ...token, special: true } : token));
  let next = Math.max(ids.size, (all.at(-1)?.id ?? 0) + 1);
  for (const content of extraSpecial) {
    if (all.some((token) => token.content === content)) continue;
    all.push(specialToken(content, ids.get(content) ?? next++));
  }
  return all;
}

function mergesOf({ merges, ids, path }: Vocabulary): Merge[] {
  const find = (token: string): number => ids.get(token) ?? missing(path, token);
  return merges.map(([left, right]) => ({ left: find(left), right: find(right), id: find(left + right) }));
}

function missing(path: string, token: string): never {
  unsupported(
    `${path} has no token ${JSON.stringify(token)}.`,
    `RoBERTa needs ${Object.values(specialTokens).join(', ')}, all bytes and the merged tokens in its vocabulary.`,
  );
}

function addsPrefixSpace({ path, json }: Vocabulary, settings: TokenizerSettings, folder: string): boolean {
  const { takes, addPrefixSpace } = settings;
  if (takes !== 'file' || json === undefined) return addPrefixSpace ?? false;
  if (addPrefixSpace !== undefined && addPrefixSpace !== json.addPrefixSpace)
    unsupported(
      `add_prefix_space is ${json.addPrefixSpace} in ${path} and ${addPrefixSpace} in ` +
        `${join(folder, 'tokenizer_config.json')}: some versions of transformers use one, some the other.`,
      'Make them agree.',
    );
  return json.addPrefixSpace;
}

function byId(a: AddedToken, b: AddedToken): number {
  return a.id - b.id;
}
