import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../core/diagnostic.ts';
import { isObject, readJson, unsupported, type Json } from './json-file.ts';
import type { AddedToken } from './model.ts';

/** The vocabulary of a folder, from its files alone. */
export interface Vocabulary {
  /** The path for error messages: `tokenizer.json`, or the folder of `vocab.json` and `merges.txt`. */
  readonly path: string;
  readonly ids: ReadonlyMap<string, number>;
  readonly merges: readonly Pair[];
  /** Settings that only `tokenizer.json` has. */
  readonly json?: {
    readonly added: readonly AddedToken[];
    readonly addPrefixSpace: boolean;
    readonly postProcessor: unknown;
  };
  readonly notes: readonly string[];
}

type Pair = readonly [left: string, right: string];

/** Upper limit for ids in a table; the largest vocabularies have a quarter of a million. */
const maxId = 2 ** 24;

/**
 * Read `tokenizer.json`, or `vocab.json` and `merges.txt` when there is none or it does not contain a byte-level BPE.
 * One that does, but needs more than this project supports, is rejected, because the other two files would not show
 * that.
 */
export function readVocabulary(folder: string): Vocabulary {
  const path = join(folder, 'tokenizer.json');
  const [vocab, merges] = [join(folder, 'vocab.json'), join(folder, 'merges.txt')];
  const hasBoth = existsSync(vocab) && existsSync(merges);
  if (!existsSync(path) && !hasBoth)
    fail(
      'unsupported-tokenizer',
      `${folder} has neither tokenizer.json nor vocab.json and merges.txt.`,
      'Point to a Hugging Face RoBERTa tokenizer folder.',
    );
  if (!existsSync(path)) return fromTwoFiles(folder, vocab, merges, []);
  const json = readJson(path);
  const problem = 'problem' in json ? json.problem : otherKind(path, json.value);
  if (problem === undefined) return fromTokenizerJson((json as { value: Json }).value, path);
  if (hasBoth)
    return fromTwoFiles(folder, vocab, merges, [`${problem}; vocab.json and merges.txt were read instead of it`]);
  return unsupported(`${problem}.`, 'Use a tokenizer of the RoBERTa or GPT-2 family, or download the folder again.');
}

/** Why a `tokenizer.json` is not a byte-level BPE. Older files, such as those on the hub, have no `type`. */
function otherKind(path: string, { model, pre_tokenizer }: Json): string | undefined {
  const type = isObject(model) ? (model.type ?? 'of no type') : 'missing';
  const pre = isObject(pre_tokenizer) ? pre_tokenizer.type : 'missing';
  const isBpe =
    isObject(model) && (model.type ?? 'BPE') === 'BPE' && isObject(model.vocab) && Array.isArray(model.merges);
  return isBpe ? undefined : `${path} is not a byte-level BPE (model ${String(type)}, pre-tokenizer ${String(pre)})`;
}

function fromTokenizerJson(json: Json, path: string): Vocabulary {
  const model = json.model as Json;
  const pre = soleByteLevel(json, path);
  const refuse = (what: string): never =>
    unsupported(`${path} ${what}, which is not supported.`, 'Use a tokenizer of the RoBERTa or GPT-2 family.');
  if (pre.use_regex === false) refuse('does not cut texts into words (use_regex is false)');
  const normalizers = typesOf(json.normalizer, 'normalizers');
  if (normalizers.length > 0) refuse(`changes texts before it cuts them (normalizer ${normalizers.join(', ')})`);
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix'])
    if ((model[name] ?? '') !== '') refuse(`spells tokens with a ${name}, ${JSON.stringify(model[name])}`);
  if (Number(model.dropout ?? 0) !== 0) refuse(`skips merges at random (dropout ${String(model.dropout)})`);
  if (model.ignore_merges === true) refuse('takes whole words without merging (ignore_merges)');
  return {
    path,
    ids: idsOf(model.vocab, path),
    merges: (model.merges as readonly unknown[]).map((merge, i) => pairOf(merge, i + 1, path)),
    json: {
      added: addedTokens(json.added_tokens, path),
      addPrefixSpace: pre.add_prefix_space !== false,
      postProcessor: json.post_processor,
    },
    notes: [],
  };
}

/** The pre-tokenizer, which may be the only one in a sequence. */
function soleByteLevel({ pre_tokenizer: pre }: Json, path: string): Json {
  const some = isObject(pre) && pre.type === 'Sequence' ? pre.pretokenizers : [pre];
  const sole: unknown = Array.isArray(some) && some.length === 1 ? some[0] : undefined;
  if (isObject(sole) && sole.type === 'ByteLevel') return sole;
  const types = typesOf(pre, 'pretokenizers').join(', ') || 'missing';
  return unsupported(
    `${path} is not a byte-level BPE (model BPE, pre-tokenizer ${types}).`,
    'Use a tokenizer of the RoBERTa or GPT-2 family, whose only pre-tokenizer is ByteLevel.',
  );
}

/** Types of a component, or of those in a sequence; none for a component that does nothing. */
function typesOf(component: unknown, listName: string): string[] {
  if (!isObject(component)) return component === undefined || component === null ? [] : [JSON.stringify(component)];
  const list = component[listName];
  return component.type === 'Sequence' && Array.isArray(list)
    ? list.flatMap((each) => typesOf(each, listName))
    : [String(component.type)];
}

function fromTwoFiles(folder: string, vocab: string, merges: string, notes: readonly string[]): Vocabulary {
  const json = readJson(vocab);
  if ('problem' in json) return unsupported(`${json.problem}.`, 'Download the tokenizer folder again.');
  const lines = readFileSync(merges, 'utf8').split(/\r?\n/);
  return {
    path: folder,
    ids: idsOf(json.value, vocab),
    merges: lines.flatMap((line, i) =>
      line === '' || line.startsWith('#version') ? [] : [pairOf(line.trimEnd(), i + 1, merges)],
    ),
    notes,
  };
}

function idsOf(vocab: unknown, path: string): Map<string, number> {
  const ids = new Map<string, number>();
  const tokens = new Map<number, string>();
  for (const [token, id] of Object.entries(vocab as Json)) {
    ids.set(token, checkedId(id, token, path));
    const other = tokens.get(id as number);
    if (other !== undefined)
      unsupported(
        `${path} gives the id ${String(id)} to ${JSON.stringify(other)} and to ${JSON.stringify(token)}.`,
        'Each token must have its own id: download the tokenizer folder again.',
      );
    tokens.set(id as number, token);
  }
  return ids;
}

/** Fails when the value is not a valid id. */
export function checkedId(id: unknown, token: string, path: string): number {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < maxId) return id as number;
  return unsupported(
    `${path} gives ${JSON.stringify(token)} the id ${JSON.stringify(id)}, which is not valid.`,
    `Ids are whole numbers from 0, below ${maxId}: download the tokenizer folder again.`,
  );
}

/** A merge as `["a", "b"]`, or as `"a b"` in older files: tokens are spelled without spaces. */
function pairOf(merge: unknown, number: number, path: string): Pair {
  const pair: readonly unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : [];
  const [left, right] = pair;
  if (pair.length === 2 && typeof left === 'string' && typeof right === 'string' && left !== '' && right !== '')
    return [left, right];
  const where = path.endsWith('.txt') ? `:${number} has` : `: merge ${number} is`;
  return unsupported(
    `${path}${where} ${JSON.stringify(merge)}, which is not a pair of tokens.`,
    'Download the tokenizer folder again.',
  );
}

/** Hugging Face's `added_tokens`: a list, each with its id. */
function addedTokens(list: unknown, path: string): AddedToken[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list))
    return unsupported(`${path}: added_tokens is not a list.`, 'Download the tokenizer folder again.');
  return list.map((token: unknown) => addedToken(token, isObject(token) ? token.id : undefined, path));
}

/** An added token of a file, with defaults for missing properties. */
export function addedToken(token: unknown, id: unknown, path: string): AddedToken {
  if (!isObject(token) || typeof token.content !== 'string')
    return unsupported(
      `${path} has the added token ${JSON.stringify(token)}, which has no content.`,
      'Download the tokenizer folder again.',
    );
  const special = token.special === true;
  return {
    id: checkedId(id, token.content, path),
    content: token.content,
    single_word: token.single_word === true,
    lstrip: token.lstrip === true,
    rstrip: token.rstrip === true,
    normalized: typeof token.normalized === 'boolean' ? token.normalized : !special,
    special,
  };
}
