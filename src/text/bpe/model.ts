import { alphabet } from './bytes.ts';

/** Special tokens by role. RoBERTa's ids for the first four are 0 to 3, and `<mask>` comes last. */
export const specialTokens = { bos: '<s>', pad: '<pad>', eos: '</s>', unk: '<unk>', mask: '<mask>' } as const;

export type SpecialRole = keyof typeof specialTokens;

/** A byte-level BPE vocabulary. */
export interface BpeModel {
  /** Spelling of each id, in byte characters; that of an added token is its text. */
  readonly tokens: readonly string[];
  /** Pairs of ids and the id of their merge, best first. */
  readonly merges: readonly Merge[];
  readonly special: Readonly<Record<SpecialRole, number>>;
  /** All ids that do not stand for text: the five above and any other special token that a loaded folder declares. */
  readonly specialIds: readonly number[];
  /** Special tokens and words that were added to the vocabulary, in order of their ids. */
  readonly added: readonly AddedToken[];
  readonly addPrefixSpace: boolean;
}

/** A token that is searched for before merges are applied: Hugging Face's `AddedToken`. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Does not match inside a word. */
  readonly single_word: boolean;
  /** Includes the white space before it. */
  readonly lstrip: boolean;
  /** Includes the white space after it. */
  readonly rstrip: boolean;
  /** Searched for after all those that are not. */
  readonly normalized: boolean;
  /** Does not stand for text; when it is written out in a corpus, it is text. */
  readonly special: boolean;
}

export interface Merge {
  readonly left: number;
  readonly right: number;
  readonly id: number;
}

/** Ids that come before learned tokens: four special tokens, then the bytes. */
export const baseTokens: readonly string[] = [
  specialTokens.bos,
  specialTokens.pad,
  specialTokens.eos,
  specialTokens.unk,
  ...alphabet,
];

/** A model from the result of training: `tokens` begins with {@link baseTokens}; `<mask>` comes last. */
export function completeModel(tokens: readonly string[], merges: readonly Merge[]): BpeModel {
  const special = { bos: 0, pad: 1, eos: 2, unk: 3, mask: tokens.length };
  return {
    tokens: [...tokens, specialTokens.mask],
    merges,
    special,
    specialIds: Object.values(special),
    added: Object.entries(special).map(([role, id]) => specialToken(specialTokens[role as SpecialRole], id)),
    addPrefixSpace: false,
  };
}

/** A special token as RoBERTa has it: only `<mask>` takes in the space before it, as the word it stands for would. */
export function specialToken(content: string, id: number): AddedToken {
  return {
    id,
    content,
    single_word: false,
    lstrip: content === specialTokens.mask,
    rstrip: false,
    normalized: false,
    special: true,
  };
}
