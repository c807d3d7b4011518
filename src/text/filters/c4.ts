import type { Rule } from './prose.ts';
import { hasWords, runsOf } from './words.ts';

/** Raffel et al. 2020 (arXiv 1910.10683), section 2.2, with FineWeb's choice of which to use. */
export interface C4Thresholds {
  readonly min_sentences: number;
  readonly min_line_words: number;
  readonly max_word_length: number;
  readonly drop_curly_bracket: boolean;
  readonly drop_lorem_ipsum: boolean;
  readonly drop_javascript_lines: boolean;
  readonly drop_policy_lines: boolean;
  readonly require_terminal_punctuation: boolean;
}

export const loremIpsum: Rule<C4Thresholds> = ({ text }, { drop_lorem_ipsum }) =>
  drop_lorem_ipsum && /lorem ipsum/iu.test(text) ? 'c4_lorem_ipsum' : undefined;

export const curlyBracket: Rule<C4Thresholds> = ({ text }, { drop_curly_bracket }) =>
  drop_curly_bracket && text.includes('{') ? 'c4_curly_bracket' : undefined;

export const sentenceCount: Rule<C4Thresholds> = ({ text }, { min_sentences }) =>
  min_sentences > 0 && countSentences(text) < min_sentences ? 'c4_few_sentences' : undefined;

/** Rules for the whole document, to be applied after {@link keepC4Lines}. */
export const c4Rules: readonly Rule<C4Thresholds>[] = [loremIpsum, curlyBracket, sentenceCount];

const javascript = /javascript/iu;
const policy =
  /terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies|隐私政策|隱私政策|使用条款|使用條款/iu;

/** The text without the lines that C4 removes. Blank lines stay, because they separate paragraphs. */
export function keepC4Lines(text: string, limits: C4Thresholds): string {
  const asked = {
    ...limits,
    drop_javascript_lines: limits.drop_javascript_lines && javascript.test(text),
    drop_policy_lines: limits.drop_policy_lines && policy.test(text),
  };
  const kept: string[] = [];
  for (let start = 0, end = 0; start <= text.length; start = end + 1) {
    end = text.indexOf('\n', start);
    if (end < 0) end = text.length;
    if (keepsLine(text, start, end, asked)) kept.push(text.slice(start, end));
  }
  return kept
    .join('\n')
    .replace(/\n{3,}/gu, '\n\n')
    .trim();
}

function keepsLine(text: string, start: number, end: number, limits: C4Thresholds): boolean {
  const runs = runsOf(text, start, end);
  if (runs.count === 0) return true;
  const line = text.slice(start, end).trim();
  if (limits.drop_javascript_lines && javascript.test(line)) return false;
  if (limits.drop_policy_lines && policy.test(line)) return false;
  if (limits.require_terminal_punctuation && !/[.!?。！？][”’"'」』）)]*$/u.test(line)) return false;
  if (
    runs.longest > limits.max_word_length &&
    line.split(/\s+/u).some((word) => word.length > limits.max_word_length && !hasUnspaced(word))
  )
    return false;
  return limits.min_line_words === 0 || hasWords(line, runs, limits.min_line_words);
}

/** A Chinese paragraph is one long run between spaces, which is not a sign of damage. */
function hasUnspaced(word: string): boolean {
  return /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u.test(
    word,
  );
}

/**
 * The assertions around the run prevent it from being tried at each of its characters, which would take quadratic time.
 */
const sentenceEnd = /(?<![.!?…])[.!?…]+(?![.!?…])(?=[”’"')\]]{0,3}(?:\s|$))|[。！？]+/gu;

/**
 * Number of sentences, by their end marks: `.!?` before a space, a closing mark or the end of a line; `。！？` anywhere. A
 * line without an end mark counts as one.
 */
export function countSentences(text: string): number {
  let count = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const ends = line.match(sentenceEnd)?.length ?? 0;
    count += Math.max(ends, 1);
  }
  return count;
}
