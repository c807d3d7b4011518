import { kindAt, unspaced, white } from './characters.ts';
import { Tokens } from './tokens.ts';

/** Languages whose words are not separated by spaces. */
const unspacedLanguages: ReadonlySet<string> = new Set(['zh', 'ja', 'th', 'lo', 'km', 'my']);
export const isUnspaced = (language: string): boolean => unspacedLanguages.has(language);

/** Whether a line has that many words, those between white space counted whole. */
export function hasWords(line: string, least: number): boolean {
  let words = 0, before = white;
  for (let at = 0; at < line.length; at++) {
    const kind = kindAt(line, at);
    if (kind & unspaced) return new Tokens(line, least).words >= least;
    if (before & white && (kind & white) === 0) words++;
    before = kind;
  }
  return words >= least;
}

/** Characters of the longest run without white space. */
export function longestRun(line: string): number {
  let longest = 0, start = 0;
  for (let at = 0; at <= line.length; at++) {
    if (at < line.length && (kindAt(line, at) & white) === 0) continue;
    longest = Math.max(longest, at - start);
    start = at + 1;
  }
  return longest;
}
