import { Jieba } from '@node-rs/jieba';
import { dict } from '@node-rs/jieba/dict.js';

/** Scripts that put no space between words. */
const unspacedRun = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+/gu;
const unspacedCharacter = new RegExp(unspacedRun.source, 'u');
const onlyHan = /^\p{Script=Han}+$/u;
const wordCharacter = /[\p{L}\p{M}\p{N}]/u;

/** Languages whose words are not separated by spaces. */
const unspacedLanguages: ReadonlySet<string> = new Set(['zh', 'ja', 'th', 'lo', 'km', 'my']);
export const isUnspaced = (language: string): boolean => unspacedLanguages.has(language);

export interface Words {
  /** Words without the punctuation around them. */
  readonly words: readonly string[];
  /** Pieces between spaces that have no letter or digit, such as `--` or `#`. */
  readonly symbols: number;
}

/**
 * Split a text into words: at white space, and Chinese by jieba's dictionary, Japanese, Thai, Lao, Khmer and Burmese by
 * the rules of Unicode (UAX #29 with ICU's dictionaries).
 */
export function splitWords(text: string): Words {
  const words: string[] = [];
  let symbols = 0;
  for (const piece of text.split(/\s+/u)) {
    if (piece === '') continue;
    if (!unspacedCharacter.test(piece)) {
      const word = stripPunctuation(piece);
      if (word === '') symbols++;
      else words.push(word);
      continue;
    }
    let end = 0;
    for (const run of piece.matchAll(unspacedRun)) {
      addSpaced(piece.slice(end, run.index), words);
      for (const word of segment(run[0])) words.push(word);
      end = run.index + run[0].length;
    }
    addSpaced(piece.slice(end), words);
  }
  return { words, symbols };
}

/** What lies between two unspaced runs: punctuation, or a word of another script. */
function addSpaced(text: string, words: string[]): void {
  const word = stripPunctuation(text);
  if (word !== '') words.push(word);
}

/** By hand: a regular expression that looks for the end takes quadratic time over a long run of dashes. */
function stripPunctuation(piece: string): string {
  const begin = piece.search(wordCharacter);
  if (begin < 0) return '';
  let end = piece.length;
  for (;;) {
    const width = /[\uDC00-\uDFFF]/.test(piece[end - 1]!) ? 2 : 1;
    if (wordCharacter.test(piece.slice(end - width, end))) return piece.slice(begin, end);
    end -= width;
  }
}

let jieba: Jieba | undefined;
let segmenter: Intl.Segmenter | undefined;

function segment(run: string): string[] {
  if (onlyHan.test(run)) {
    jieba ??= Jieba.withDict(dict);
    return jieba.cut(run, true);
  }
  segmenter ??= new Intl.Segmenter('ja', { granularity: 'word' });
  return Array.from(segmenter.segment(run), ({ segment: word }) => word);
}
