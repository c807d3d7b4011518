import { kindAt, unspaced, white } from './characters.ts';
import { Tokens } from './tokens.ts';

/** Languages whose words are not separated by spaces. */
const unspacedLanguages: ReadonlySet<string> = new Set(['zh', 'ja', 'th', 'lo', 'km', 'my']);
export const isUnspaced = (language: string): boolean => unspacedLanguages.has(language);

/** The runs of characters between white space in a line. */
export interface Runs {
  readonly count: number;
  /** Number of code units of the longest one. */
  readonly longest: number;
  /** Whether there is a character of a script without spaces. */
  readonly hasUnspaced: boolean;
}

/**
 * The runs of `text[start]` to `text[end - 1]`: positions in a text, because reading slices takes three times as long.
 */
export function runsOf(text: string, start: number, end: number): Runs {
  let count = 0,
    longest = 0,
    kinds = 0,
    from = start; // the beginning of the run, if there is one
  for (let at = start; at < end; at++) {
    const kind = kindAt(text, at);
    kinds |= kind;
    if ((kind & white) === 0) {
      if (at === from) count++;
      continue;
    }
    if (at - from > longest) longest = at - from;
    from = at + 1;
  }
  return { count, longest: Math.max(longest, end - from), hasUnspaced: (kinds & unspaced) !== 0 };
}

/** Whether a line has at least that many words; in spaced scripts, everything between white space is one word. */
export function hasWords(line: string, runs: Runs, least: number): boolean {
  return (runs.hasUnspaced ? new Tokens(line, least).words : runs.count) >= least;
}
