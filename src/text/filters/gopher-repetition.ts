import type { Prose, Rule } from './prose.ts';
import { duplicateShares, nGramShares } from './repetition.ts';

/** Largest shares allowed, 0 to 1 (Rae et al. 2021, arXiv 2112.11446, table A1); 1 allows anything. */
export interface GopherRepetitionThresholds {
  readonly max_duplicate_lines: number;
  readonly max_duplicate_paragraphs: number;
  readonly max_duplicate_line_characters: number;
  readonly max_duplicate_paragraph_characters: number;
  /** For 2-grams, 3-grams and so on. */
  readonly max_top_ngrams: readonly number[];
  /** For 5-grams, 6-grams and so on. */
  readonly max_duplicate_ngrams: readonly number[];
}

export const duplicateParagraphs: Rule<GopherRepetitionThresholds> = (document, limits) => {
  const { count, characters } = duplicateShares(document.paragraphs, document.text.length);
  if (count > limits.max_duplicate_paragraphs) return 'gopher_duplicate_paragraphs';
  return characters > limits.max_duplicate_paragraph_characters ? 'gopher_duplicate_paragraph_characters' : undefined;
};

export const duplicateLines: Rule<GopherRepetitionThresholds> = (document, limits) => {
  const { count, characters } = duplicateShares(document.lines, document.text.length);
  if (count > limits.max_duplicate_lines) return 'gopher_duplicate_lines';
  return characters > limits.max_duplicate_line_characters ? 'gopher_duplicate_line_characters' : undefined;
};

/**
 * Both n-gram rules in one, because they share the counting. Words of unspaced scripts are segmented, so the rules
 * apply there too.
 */
export const repeatedNGrams: Rule<GopherRepetitionThresholds> = (document: Prose, limits) => {
  const most = Math.max(limits.max_top_ngrams.length + 1, limits.max_duplicate_ngrams.length + 4);
  const shares = nGramShares(document.tokens, most, document.text.length);
  const top = limits.max_top_ngrams.findIndex((limit, index) => shares[index + 1]!.top > limit);
  if (top >= 0) return `gopher_top_${top + 2}_gram`;
  const duplicate = limits.max_duplicate_ngrams.findIndex((limit, index) => shares[index + 4]!.duplicate > limit);
  return duplicate >= 0 ? `gopher_duplicate_${duplicate + 5}_grams` : undefined;
};

export const gopherRepetitionRules: readonly Rule<GopherRepetitionThresholds>[] = [
  duplicateParagraphs,
  duplicateLines,
  repeatedNGrams,
];
