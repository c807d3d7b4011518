import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { pretokenize } from '../../src/text/bpe/pretokenize.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';

type Json = Record<string, unknown>;

interface TokenizerJson extends Json {
  model: Json & { vocab: Record<string, number>; merges: (string | string[])[] };
  pre_tokenizer: Json;
  added_tokens: Json[];
}

/** A folder's files before they are written, to be changed into what is met on the hub; an absent one is undefined. */
interface Files {
  json: TokenizerJson;
  /** Written in place of `json`. */
  text?: string;
  hasJson: boolean;
  vocab: Record<string, number> | undefined;
  merges: string[] | undefined;
  config: Json | undefined;
  map: Json | undefined;
  added: Record<string, number> | undefined;
  model: Json | undefined;
}

const corpus = [
  'The miller carried a copper kettle to the old bridge, and the miller sang of the kettle.',
  "A tired nurse counted 42 lanterns; 17 of them were broken, it's said. The nurse isn't sure.",
  'Über den Fluß ging die Müllerin, née Straße. 我爱北京天安门。',
];

/** Texts in which the added tokens of the folders below occur in all sorts of places. */
export const texts = [
  'The miller had COVID-19 before sunrise.',
  'miller and user@name',
  'xCOVID-19x COVID-19s COVID COVID-1 covid-19 COVID-19COVID-19',
  'COVID-19  kettle\n COVID-19\tuser@name\u00a0née Müllerin',
  " leading, trailing  it's 42\n\n我爱北京。Straße\u3000",
  'Straße, die Straße und Überstraße',
  '',
];

/** Texts in which special tokens are written out. */
export const withSpecials = ['Paris is <mask>.', 'a</s><s>b  <mask> c<mask>', 'a <url> COVID-19 <user> <pad>b <unk>'];

/** What is read from a folder as those of the hub are, or why it is not. */
export interface FolderCase {
  readonly name: string;
  readonly change: (files: Files) => void;
  /** What the log says of it. */
  readonly note?: RegExp;
  /** transformers cannot load it. */
  readonly onlyHere?: true;
  /**
   * That `<mask>` takes in the space before it is nowhere said: it does here, and did in transformers until version 5.
   */
  readonly masksAsBefore?: true;
}

const word = (content: string, id: number, flags: Json = {}): Json => ({
  id,
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: true,
  special: false,
  ...flags,
});
const asFile = (files: Files): void => {
  files.config = {
    tokenizer_class: 'PreTrainedTokenizerFast',
    bos_token: '<s>',
    eos_token: '</s>',
    cls_token: '<s>',
    sep_token: '</s>',
    unk_token: '<unk>',
    pad_token: '<pad>',
    mask_token: '<mask>',
  };
};
const decoder = (files: Files, ...more: Json[]): Json =>
  Object.fromEntries([...files.json.added_tokens, ...more].map(({ id, ...token }) => [String(id), token]));
const template = (single: string[], pair: string[]): Json => {
  const piece = (part: string): Json =>
    part === 'A' || part === 'B' ? { Sequence: { id: part, type_id: 0 } } : { SpecialToken: { id: part, type_id: 0 } };
  return {
    type: 'TemplateProcessing',
    single: single.map(piece),
    pair: pair.map(piece),
    special_tokens: {
      '<s>': { id: '<s>', ids: [0], tokens: ['<s>'] },
      '</s>': { id: '</s>', ids: [2], tokens: ['</s>'] },
    },
  };
};
const robertas = template(['<s>', 'A', '</s>'], ['<s>', 'A', '</s>', '</s>', 'B', '</s>']);
/** Entries of the vocabulary. */
export const size = 340;

export const readable: readonly FolderCase[] = [
  { name: 'as transformers writes it', change: () => {} },
  {
    name: "roberta-base's own, whose model has no type",
    change: (files) => {
      const { vocab, merges } = files.json.model;
      files.json.model = {
        dropout: null,
        unk_token: null,
        continuing_subword_prefix: '',
        end_of_word_suffix: '',
        fuse_unk: false,
        vocab,
        merges,
      };
      files.json.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true };
      for (const token of files.json.added_tokens) token.normalized = token.content !== '<mask>';
      files.config = { model_max_length: 512 };
      files.map = undefined;
    },
  },
  {
    name: 'merges as pairs',
    change: ({ json }) => {
      json.model.merges = json.model.merges.map((merge) => String(merge).split(' '));
    },
  },
  {
    name: 'tokenizer.json alone, which frames nothing, as ByteLevelBPETokenizer saves it',
    note: /tokenizer\.json does not put <s> and <\/s> around a text/,
    change: (files) => {
      files.json.post_processor = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true };
      files.vocab = files.merges = files.config = files.map = undefined;
    },
  },
  {
    name: 'vocab.json and merges.txt alone',
    masksAsBefore: true,
    change: (files) => {
      files.hasJson = false;
      files.config = files.map = undefined;
    },
  },
  {
    name: 'merges.txt with line ends of Windows',
    change: (files) => {
      files.hasJson = false;
      files.merges = files.merges!.map((line) => `${line}\r`);
    },
  },
  {
    name: 'a tokenizer.json that is cut off, and the two files',
    onlyHere: true,
    note: /tokenizer\.json cannot be read as JSON; vocab\.json and merges\.txt were read instead of it/,
    change: (files) => {
      files.text = '{"model":';
    },
  },
  {
    name: 'a pointer to a tokenizer.json, and the two files',
    onlyHere: true,
    note: /cannot be read as JSON; vocab\.json and merges\.txt/,
    change: (files) => {
      files.text = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n';
    },
  },
  {
    name: 'a tokenizer.json of another kind, and the two files',
    onlyHere: true,
    note: /tokenizer\.json is not a byte-level BPE \(model WordPiece, pre-tokenizer ByteLevel\); vocab\.json and/,
    change: ({ json }) => {
      json.model.type = 'WordPiece';
    },
  },
  {
    name: 'add_prefix_space in tokenizer_config.json, which counts for RobertaTokenizer',
    change: (files) => {
      files.config!.add_prefix_space = true;
    },
  },
  {
    name: 'add_prefix_space beside vocab.json and merges.txt',
    change: (files) => {
      files.hasJson = false;
      files.config!.add_prefix_space = true;
    },
  },
  {
    name: 'add_prefix_space in tokenizer.json, which does not count for RobertaTokenizer',
    change: ({ json, config }) => {
      json.pre_tokenizer.add_prefix_space = true;
      delete config!.add_prefix_space;
    },
  },
  {
    name: 'add_prefix_space in tokenizer.json, which counts for PreTrainedTokenizerFast',
    change: (files) => {
      files.json.pre_tokenizer.add_prefix_space = true;
      asFile(files);
    },
  },
  {
    name: 'words added in tokenizer.json',
    change: ({ json }) => {
      json.added_tokens.push(word('COVID-19', size), word('user@name', size + 1));
    },
  },
  {
    name: 'words added in tokenizer.json, for PreTrainedTokenizerFast, with a space before each text',
    change: (files) => {
      files.json.added_tokens.push(word('COVID-19', size), word('user@name', size + 1));
      files.json.pre_tokenizer.add_prefix_space = true;
      asFile(files);
    },
  },
  {
    name: 'words added in added_tokens.json, beside the two files',
    masksAsBefore: true,
    change: (files) => {
      files.hasJson = false;
      files.map = undefined;
      files.config = { tokenizer_class: 'RobertaTokenizer' };
      files.added = { 'COVID-19': size, 'user@name': size + 1 };
    },
  },
  {
    name: 'words added in tokenizer_config.json, with white space around them taken in',
    change: (files) => {
      const words = [
        word('COVID-19', size, { lstrip: true, rstrip: true }),
        word('user@name', size + 1, { lstrip: true }),
        word('Straße', size + 2, { rstrip: true, normalized: false }),
      ];
      files.config!.added_tokens_decoder = decoder(files, ...words);
      files.json.added_tokens.push(...words);
    },
  },
  {
    name: 'words added in tokenizer_config.json alone',
    change: (files) => {
      files.config!.added_tokens_decoder = decoder(files, word('COVID-19', size));
    },
  },
  {
    name: 'whole words only, of which the longest counts, and those that are not normalized count first',
    change: ({ json }) => {
      json.added_tokens.push(
        word('COVID-19', size, { single_word: true }),
        word('COVID', size + 1),
        word('COVID-1', size + 2),
        word('D-1', size + 3, { normalized: false }),
        word('Straße', size + 4, { single_word: true, normalized: false }),
      );
    },
  },
  {
    name: 'an added word that the vocabulary has',
    change: ({ json }) => {
      json.added_tokens.push(word('iller', json.model.vocab.iller!));
    },
  },
  {
    name: 'more special tokens, in special_tokens_map.json',
    change: (files) => {
      files.map!.additional_special_tokens = ['<url>', '<user>'];
    },
  },
  {
    name: 'a template that says what RobertaProcessing does',
    change: (files) => {
      files.json.post_processor = robertas;
      asFile(files);
    },
  },
  {
    name: 'a template after ByteLevel',
    change: (files) => {
      files.json.post_processor = {
        type: 'Sequence',
        processors: [{ type: 'ByteLevel', add_prefix_space: true, trim_offsets: false, use_regex: true }, robertas],
      };
      asFile(files);
    },
  },
  {
    name: 'BertProcessing, which frames pairs in another way',
    note: /puts other tokens around pairs of texts than RoBERTa/,
    change: (files) => {
      files.json.post_processor = { type: 'BertProcessing', sep: ['</s>', 2], cls: ['<s>', 0] };
      asFile(files);
    },
  },
  {
    name: 'no post-processor',
    note: /does not put <s> and <\/s> around a text/,
    change: (files) => {
      files.json.post_processor = null;
      asFile(files);
    },
  },
  {
    name: 'a post-processor that RobertaTokenizer replaces',
    note: /puts other tokens around a text than RoBERTa/,
    change: ({ json }) => {
      json.post_processor = template(['<s>', 'A'], ['<s>', 'A', 'B']);
    },
  },
  {
    name: 'texts cut and padded',
    change: ({ json }) => {
      json.truncation = { direction: 'Right', max_length: 8, strategy: 'LongestFirst', stride: 0 };
      json.padding = {
        strategy: { Fixed: 16 },
        direction: 'Right',
        pad_to_multiple_of: null,
        pad_id: 1,
        pad_type_id: 0,
        pad_token: '<pad>',
      };
    },
  },
  {
    name: 'ByteLevel by itself in a sequence, and an empty sequence of normalizers',
    change: (files) => {
      files.json.pre_tokenizer = { type: 'Sequence', pretokenizers: [files.json.pre_tokenizer] };
      files.json.normalizer = { type: 'Sequence', normalizers: [] };
      asFile(files);
    },
  },
  {
    name: "GPT-2's class with RoBERTa's special tokens",
    change: (files) => {
      files.config!.tokenizer_class = 'GPT2TokenizerFast';
    },
  },
  {
    name: 'an id that no token has',
    change: ({ json, vocab }) => {
      for (const ids of [json.model.vocab, vocab!]) ids['<mask>'] = size;
      json.added_tokens.at(-1)!.id = size;
    },
  },
];

export const refused: readonly {
  readonly name: string;
  readonly change: (files: Files) => void;
  readonly message: RegExp;
}[] = [
  {
    name: 'lower case',
    change: ({ json }) => {
      json.normalizer = { type: 'Lowercase' };
    },
    message: /tokenizer\.json changes texts before it cuts them \(normalizer Lowercase\)/,
  },
  {
    name: 'normal forms, in a sequence',
    change: ({ json }) => {
      json.normalizer = { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Strip' }] };
    },
    message: /\(normalizer NFKC, Strip\)/,
  },
  {
    name: 'digits cut one by one',
    change: ({ json }) => {
      json.pre_tokenizer = { type: 'Sequence', pretokenizers: [{ type: 'Digits' }, json.pre_tokenizer] };
    },
    message: /tokenizer\.json is not a byte-level BPE \(model BPE, pre-tokenizer Digits, ByteLevel\)/,
  },
  {
    name: 'no pre-tokenizer',
    change: ({ json }) => {
      json.pre_tokenizer = null as never;
    },
    message: /\(model BPE, pre-tokenizer missing\)/,
  },
  {
    name: 'texts that are not cut',
    change: ({ json }) => {
      json.pre_tokenizer.use_regex = false;
    },
    message: /tokenizer\.json does not cut texts into words/,
  },
  {
    name: 'merges left out by chance',
    change: ({ json }) => {
      json.model.dropout = 0.1;
    },
    message: /dropout 0\.1/,
  },
  {
    name: 'words taken whole',
    change: ({ json }) => {
      json.model.ignore_merges = true;
    },
    message: /ignore_merges/,
  },
  {
    name: 'a prefix within words',
    change: ({ json }) => {
      json.model.continuing_subword_prefix = '##';
    },
    message: /continuing_subword_prefix, "##"/,
  },
  {
    name: 'a suffix of words',
    change: ({ json }) => {
      json.model.end_of_word_suffix = '</w>';
    },
    message: /end_of_word_suffix, "<\/w>"/,
  },
  {
    name: 'other tokens around texts',
    change: (files) => {
      files.json.post_processor = template(['<s>', 'A'], ['<s>', 'A', 'B']);
      asFile(files);
    },
    message: /tokenizer\.json does not put <s> and <\/s> around a text: it makes "0 A" of a text A/,
  },
  {
    name: 'an unknown post-processor',
    change: (files) => {
      files.json.post_processor = { type: 'Other' };
      asFile(files);
    },
    message: /its post-processor, Other, is not supported/,
  },
  {
    name: 'another token as <s>',
    change: ({ config }) => {
      config!.cls_token = '[CLS]';
    },
    message: /tokenizer_config\.json has "\[CLS\]" as cls_token; RoBERTa's is "<s>"/,
  },
  {
    name: 'another token as <mask>',
    change: ({ map }) => {
      map!.mask_token = { content: '[MASK]' };
    },
    message: /special_tokens_map\.json has "\[MASK\]" as mask_token/,
  },
  {
    name: "GPT-2's special tokens",
    change: (files) => {
      files.map = undefined;
      files.config = { tokenizer_class: 'GPT2Tokenizer' };
    },
    message: /GPT2Tokenizer of .*tokenizer_config\.json has "<\|endoftext\|>" as bos_token/,
  },
  {
    name: 'files that differ about the space before a text',
    change: (files) => {
      asFile(files);
      files.config!.add_prefix_space = true;
    },
    message: /add_prefix_space is false in .*tokenizer\.json and true in .*tokenizer_config\.json/,
  },
  {
    name: 'an added token with an id of its own',
    change: ({ json }) => {
      json.added_tokens.push(word('COVID-19', size + 7));
    },
    message: /"COVID-19" is said to have the id 347, but gets 340/,
  },
  {
    name: 'files that differ about an added token',
    change: (files) => {
      files.config!.added_tokens_decoder = decoder(files);
      files.json.added_tokens.push(word('COVID-19', size));
    },
    message: /tokenizer\.json and .*tokenizer_config\.json differ: the added token "COVID-19" is in the first only/,
  },
  {
    name: 'added_tokens.json and tokenizer.json that differ',
    change: (files) => {
      files.added = { 'COVID-19': size + 1 };
      files.json.added_tokens.push(word('COVID-19', size));
    },
    message:
      /tokenizer\.json and .*added_tokens\.json differ: the added token "COVID-19" has the id 340 in one and 341 in/,
  },
  {
    name: 'a merge of three',
    change: ({ json }) => {
      json.model.merges[3] = 'a b c';
    },
    message: /tokenizer\.json: merge 4 is "a b c", which is not a pair of tokens/,
  },
  {
    name: 'a merge that is a number',
    change: ({ json }) => {
      json.model.merges[0] = 5 as never;
    },
    message: /merge 1 is 5/,
  },
  {
    name: 'a line that is no merge',
    change: (files) => {
      files.hasJson = false;
      files.merges![2] = 'abc';
    },
    message: /merges\.txt:3 has "abc", which is not a pair of tokens/,
  },
  {
    name: 'a merge of unknown tokens',
    change: ({ json }) => {
      json.model.merges.push('Q Q');
    },
    message: /tokenizer\.json has no token "QQ"/,
  },
  {
    name: 'an id of two tokens',
    change: ({ json }) => {
      json.model.vocab.zzz = 300;
    },
    message: /tokenizer\.json gives the id 300 to ".*" and to "zzz"/,
  },
  {
    name: 'an id below 0',
    change: (files) => {
      files.hasJson = false;
      files.vocab!.zzz = -1;
    },
    message: /vocab\.json gives "zzz" the id -1, which is not valid/,
  },
  {
    name: 'an id that no table has room for',
    change: ({ json }) => {
      json.model.vocab.zzz = 2 ** 32 - 2;
    },
    message: /tokenizer\.json gives "zzz" the id 4294967294/,
  },
  {
    name: 'an id that is no number',
    change: ({ json }) => {
      json.model.vocab.zzz = '7' as never;
    },
    message: /gives "zzz" the id "7"/,
  },
  {
    name: 'an added token without a content',
    change: ({ json }) => {
      json.added_tokens.push({ id: 3 });
    },
    message: /the added token \{"id":3\}, which has no content/,
  },
  {
    name: 'added tokens that are no list',
    change: ({ json }) => {
      json.added_tokens = 'x' as never;
    },
    message: /added_tokens is not a list/,
  },
  {
    name: 'settings that are cut off',
    change: (files) => {
      files.config = '{"add' as never;
    },
    message: /tokenizer_config\.json cannot be read as JSON/,
  },
  {
    name: 'a byte that no token is of',
    change: ({ json }) => {
      delete json.model.vocab['Ā'];
    },
    message: /tokenizer\.json has no token "Ā"/,
  },
  {
    name: 'no <mask>',
    change: ({ json }) => {
      delete json.model.vocab['<mask>'];
      json.added_tokens.pop();
    },
    message: /tokenizer\.json has no token "<mask>"/,
  },
];

let trained: ReturnType<typeof trainBpe> | undefined;

/** Write a folder whose files were changed. */
export function tokenizerFolder(change: (files: Files) => void): string {
  if (trained === undefined) {
    const words = new Map<string, number>();
    for (const text of corpus) for (const piece of pretokenize(text)) words.set(piece, (words.get(piece) ?? 0) + 1);
    trained = trainBpe(words, { vocabSize: size, minFrequency: 1 });
  }
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  const path = (name: string): string => join(folder, name);
  writeTokenizer(folder, trained);
  const read = (name: string): Json => JSON.parse(readFileSync(path(name), 'utf8')) as Json;
  const files: Files = {
    json: read('tokenizer.json') as TokenizerJson,
    hasJson: true,
    vocab: read('vocab.json') as Record<string, number>,
    merges: readFileSync(path('merges.txt'), 'utf8').trimEnd().split('\n'),
    config: read('tokenizer_config.json'),
    map: read('special_tokens_map.json'),
    added: undefined,
    model: { model_type: 'roberta' },
  };
  change(files);
  return write(files);
}

function write({ json, text, hasJson, vocab, merges, config, map, added, model }: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  const put = (name: string, value: unknown): void => {
    if (value !== undefined)
      writeFileSync(join(folder, name), typeof value === 'string' ? value : JSON.stringify(value));
  };
  if (hasJson) put('tokenizer.json', text ?? json);
  put('vocab.json', vocab);
  put('merges.txt', merges && `${merges.join('\n')}\n`);
  put('tokenizer_config.json', config);
  put('special_tokens_map.json', map);
  put('added_tokens.json', added);
  put('config.json', model);
  return folder;
}
