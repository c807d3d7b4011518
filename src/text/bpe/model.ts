import { alphabet } from './bytes.ts';

/** Special tokens by role. RoBERTa's ids for the first four are 0 to 3, and `<mask>` comes last. */
export const specialTokens = { bos: '<s>', pad: '<pad>', eos: '</s>', unk: '<unk>', mask: '<mask>' } as const;

export type SpecialRole = keyof typeof specialTokens;

/** A byte-level BPE vocabulary. */
export interface BpeModel {
  /** Spelling of each id, in byte characters. */
  readonly tokens: readonly string[];
  /** Pairs of ids and the id of what they become, best first. */
  readonly merges: readonly Merge[];
  readonly special: Readonly<Record<SpecialRole, number>>;
  /** Every id that stands for no text: the five above and any other special token that a loaded folder declares. */
  readonly specialIds: readonly number[];
  readonly addPrefixSpace: boolean;
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

/** A model from what training learned: `tokens` begins with {@link baseTokens}; `<mask>` is put last. */
export function completeModel(tokens: readonly string[], merges: readonly Merge[]): BpeModel {
  const mask = tokens.length;
  return {
    tokens: [...tokens, specialTokens.mask],
    merges,
    special: { bos: 0, pad: 1, eos: 2, unk: 3, mask },
    specialIds: [0, 1, 2, 3, mask],
    addPrefixSpace: false,
  };
}
