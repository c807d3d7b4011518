import { share, type Rule } from './prose.ts';
import { duplicateShares } from './repetition.ts';
import { isUnspaced } from './words.ts';

/** Penedo et al. 2024 (arXiv 2406.17557), section 3.6. A minimum of 0 and a maximum share of 1 allow anything. */
export interface FineWebThresholds {
  /** Fraction of lines that end with a sentence-ending mark. */
  readonly min_punctuated_lines: number;
  readonly max_short_lines: number;
  /** Maximum number of characters of a short line. */
  readonly short_line_length: number;
  /** The same for languages without spaces, where 30 letters are about ten characters. */
  readonly short_line_length_unspaced: number;
  readonly max_duplicate_line_characters: number;
  readonly max_newline_word_ratio: number;
}

export const punctuatedLines: Rule<FineWebThresholds> = ({ lines }, { min_punctuated_lines }) =>
  share(lines, (line) => /\p{Sentence_Terminal}$/u.test(line)) < min_punctuated_lines
    ? 'fineweb_punctuated_lines'
    : undefined;

export const shortLines: Rule<FineWebThresholds> = ({ lines, language }, limits) => {
  const short = isUnspaced(language) ? limits.short_line_length_unspaced : limits.short_line_length;
  return share(lines, (line) => line.length <= short) > limits.max_short_lines ? 'fineweb_short_lines' : undefined;
};

export const duplicateLineCharacters: Rule<FineWebThresholds> = ({ lines }, limits) =>
  duplicateShares(lines).characters > limits.max_duplicate_line_characters
    ? 'fineweb_duplicate_line_characters'
    : undefined;

/** Blank lines between paragraphs are added by us, not by the author, so each break counts once. */
export const newlineRatio: Rule<FineWebThresholds> = ({ lines, tokens }, limits) =>
  tokens.count > 0 && (lines.length - 1) / tokens.count > limits.max_newline_word_ratio
    ? 'fineweb_newline_ratio'
    : undefined;

export const fineWebRules: readonly Rule<FineWebThresholds>[] = [
  punctuatedLines,
  shortLines,
  duplicateLineCharacters,
  newlineRatio,
];
