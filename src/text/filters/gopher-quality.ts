import { share, type Rule } from './prose.ts';
import { isUnspaced } from './words.ts';

/** Rae et al. 2021 (arXiv 2112.11446), appendix A1.1. A minimum of 0 and a maximum share of 1 allow anything. */
export interface GopherQualityThresholds {
  readonly min_words: number;
  readonly max_words: number;
  /** Characters; not for languages without spaces, whose words are shorter. */
  readonly min_mean_word_length: number;
  readonly max_mean_word_length: number;
  /** `#` per word, and ellipses per word. */
  readonly max_symbol_word_ratio: number;
  readonly max_bullet_lines: number;
  readonly max_ellipsis_lines: number;
  readonly min_alphabetic_words: number;
  readonly min_stop_words: number;
}

/** Gopher's eight, and equally frequent ones for Chinese; the rule does not apply to other languages. */
const stopWords: Readonly<Record<string, ReadonlySet<string>>> = {
  en: new Set(['the', 'be', 'to', 'of', 'and', 'that', 'have', 'with']),
  zh: new Set([
    '的',
    '了',
    '在',
    '是',
    '和',
    '有',
    '不',
    '这',
    '這',
    '也',
    '为',
    '為',
    '与',
    '與',
    '于',
    '於',
    '中',
    '及',
    '等',
    '由',
    '以',
    '而',
    '被',
    '或',
    '其',
    '对',
    '對',
    '后',
    '後',
    '并',
    '並',
    '到',
    '就',
    '都',
    '他',
    '她',
    '我',
  ]),
};

export const wordCount: Rule<GopherQualityThresholds> = ({ tokens }, limits) =>
  tokens.words < limits.min_words ? 'gopher_short' : tokens.words > limits.max_words ? 'gopher_long' : undefined;

/** A Chinese word has 1.5 characters on average, so the lower bound applies only where spaces separate words. */
export const meanWordLength: Rule<GopherQualityThresholds> = ({ tokens, language }, limits) => {
  if (tokens.words === 0) return undefined;
  const mean = tokens.wordCharacters / tokens.words;
  const shortest = isUnspaced(language) ? 0 : limits.min_mean_word_length;
  return mean < shortest || mean > limits.max_mean_word_length ? 'gopher_mean_word_length' : undefined;
};

export const symbolRatio: Rule<GopherQualityThresholds> = ({ text, tokens }, limits) => {
  const allowed = limits.max_symbol_word_ratio * tokens.count;
  if (count(text, /#/gu) > allowed) return 'gopher_hash_ratio';
  return count(text, /\.{3}|…+/gu) > allowed ? 'gopher_ellipsis_ratio' : undefined;
};

export const bulletLines: Rule<GopherQualityThresholds> = ({ lines }, limits) =>
  share(lines, (line) => /^[•‣◦▪·*\-–]/u.test(line)) > limits.max_bullet_lines ? 'gopher_bullet_lines' : undefined;

export const ellipsisLines: Rule<GopherQualityThresholds> = ({ lines }, limits) =>
  share(lines, (line) => /(?:\.{3}|…)$/u.test(line)) > limits.max_ellipsis_lines ? 'gopher_ellipsis_lines' : undefined;

/**
 * Marks count as non-alphabetic words, as in datatrove; but not in languages whose words have 1.5 characters, where
 * there are more marks per word.
 */
export const alphabeticWords: Rule<GopherQualityThresholds> = ({ tokens, language }, limits) => {
  const counted = isUnspaced(language) ? tokens.words : tokens.count;
  return counted > 0 && tokens.alphabetic / counted < limits.min_alphabetic_words
    ? 'gopher_alphabetic_words'
    : undefined;
};

export const stopWordCount: Rule<GopherQualityThresholds> = ({ tokens, language }, limits) => {
  const list = stopWords[language];
  if (!list || limits.min_stop_words === 0) return undefined;
  const found = new Set<string>();
  for (let index = 0; index < tokens.count; index++) {
    const lower = tokens.at(index).toLowerCase();
    if (list.has(lower)) found.add(lower);
    if (found.size >= limits.min_stop_words) return undefined;
  }
  return 'gopher_stop_words';
};

export const gopherQualityRules: readonly Rule<GopherQualityThresholds>[] = [
  wordCount,
  meanWordLength,
  symbolRatio,
  bulletLines,
  ellipsisLines,
  alphabeticWords,
  stopWordCount,
];

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}
