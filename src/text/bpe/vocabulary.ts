import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fail } from '../../core/diagnostic.ts';
import { isObject, readJson, unsupported, type Json } from './json-file.ts';
import type { AddedToken } from './model.ts';

/** The vocabulary of a folder, as far as its files say it by themselves. */
export interface Vocabulary {
  /** What to name when something is wrong: `tokenizer.json`, or the folder of `vocab.json` and `merges.txt`. */
  readonly path: string;
  readonly ids: ReadonlyMap<string, number>;
  readonly merges: readonly Pair[];
  /** What only `tokenizer.json` says. */
  readonly json?: {
    readonly added: readonly AddedToken[];
    readonly addPrefixSpace: boolean;
    readonly postProcessor: unknown;
  };
  readonly notes: readonly string[];
}

type Pair = readonly [left: string, right: string];

/** Ids up to which a table is made; the largest vocabularies have a quarter of a million. */
const maxId = 2 ** 24;

/**
 * Read `tokenizer.json`, or `vocab.json` and `merges.txt` where there is none or where it holds no byte-level BPE. One
 * that does, but does more than this project can, is refused: the other two files would say nothing of that.
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
  return unsupported(`${problem}.`, 'Use a tokenizer of the RoBERTa or GPT-2 family, or fetch the folder again.');
}

/** Why a `tokenizer.json` is no byte-level BPE. Files from before `type` was there have it missing, as the hub's do. */
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
    unsupported(`${path} ${what}, which is not done here.`, 'Use a tokenizer of the RoBERTa or GPT-2 family.');
  if (pre.use_regex === false) refuse('does not cut texts into words (use_regex is false)');
  const normalizers = typesOf(json.normalizer, 'normalizers');
  if (normalizers.length > 0) refuse(`changes texts before it cuts them (normalizer ${normalizers.join(', ')})`);
  for (const name of ['continuing_subword_prefix', 'end_of_word_suffix'])
    if ((model[name] ?? '') !== '') refuse(`spells tokens with a ${name}, ${JSON.stringify(model[name])}`);
  if (Number(model.dropout ?? 0) !== 0) refuse(`leaves out merges by chance (dropout ${String(model.dropout)})`);
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

/** The pre-tokenizer, which may be in a sequence by itself. */
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

/** Types of a component, or of those in a sequence of them; none of one that does nothing. */
function typesOf(component: unknown, listName: string): string[] {
  if (!isObject(component)) return component === undefined || component === null ? [] : [JSON.stringify(component)];
  const list = component[listName];
  return component.type === 'Sequence' && Array.isArray(list)
    ? list.flatMap((each) => typesOf(each, listName))
    : [String(component.type)];
}

function fromTwoFiles(folder: string, vocab: string, merges: string, notes: readonly string[]): Vocabulary {
  const json = readJson(vocab);
  if ('problem' in json) return unsupported(`${json.problem}.`, 'Fetch the tokenizer folder again.');
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
        'Each token has an id of its own: fetch the tokenizer folder again.',
      );
    tokens.set(id as number, token);
  }
  return ids;
}

/** Fails when it is not an id that a table could have. */
export function checkedId(id: unknown, token: string, path: string): number {
  if (Number.isInteger(id) && (id as number) >= 0 && (id as number) < maxId) return id as number;
  return unsupported(
    `${path} gives ${JSON.stringify(token)} the id ${JSON.stringify(id)}, which is not one.`,
    `Ids are whole numbers from 0 up, below ${maxId}: fetch the tokenizer folder again.`,
  );
}

/** A merge as `["a", "b"]`, or as `"a b"`, which older files have: tokens are spelled without spaces. */
function pairOf(merge: unknown, number: number, path: string): Pair {
  const pair: readonly unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? merge : [];
  const [left, right] = pair;
  if (pair.length === 2 && typeof left === 'string' && typeof right === 'string' && left !== '' && right !== '')
    return [left, right];
  const where = path.endsWith('.txt') ? `:${number} has` : `: merge ${number} is`;
  return unsupported(
    `${path}${where} ${JSON.stringify(merge)}, which is not a pair of tokens.`,
    'Fetch the tokenizer folder again.',
  );
}

/** Hugging Face's `added_tokens`: a list, each with its id. */
function addedTokens(list: unknown, path: string): AddedToken[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list))
    return unsupported(`${path}: added_tokens is not a list.`, 'Fetch the tokenizer folder again.');
  return list.map((token: unknown) => addedToken(token, isObject(token) ? token.id : undefined, path));
}

/** An added token of a file, with what it means where a property is missing. */
export function addedToken(token: unknown, id: unknown, path: string): AddedToken {
  if (!isObject(token) || typeof token.content !== 'string')
    return unsupported(
      `${path} has the added token ${JSON.stringify(token)}, which has no content.`,
      'Fetch the tokenizer folder again.',
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
