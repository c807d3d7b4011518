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

/** Spaced text cut as spaCy cuts English, nearly: numbers and abbreviations whole, hyphenated words and contractions apart, each mark by itself. */
const spacedToken = /https?:\/\/\S+|www\.\S+|\b(?:Mr|Mrs|Ms|Dr|St|Prof|Jr|Sr|Inc|Co|Corp|Ltd|vs|etc)\.|(?<![\p{L}\p{N}])(?:\p{L}\.)+|\p{N}[\p{L}\p{N}]*(?:[.,:]\p{N}+)*|[\p{L}\p{M}\p{N}_]+(?:[.@][\p{L}\p{N}_]+)*|['’]\p{L}{1,2}(?![\p{L}\p{N}])|\.{2,}|-{2,}|\S/gu;

/**
 * Split a text into words and marks: English and other spaced scripts at white space and around punctuation, Chinese by
 * jieba's dictionary, Japanese, Thai, Lao, Khmer and Burmese by the rules of Unicode (UAX #29 with ICU's dictionaries).
 */
export function tokenize(text: string): string[] {
  const tokens: string[] = [];
  let end = 0;
  for (const run of text.matchAll(unspacedRun)) {
    addSpaced(text.slice(end, run.index), tokens);
    for (const word of segment(run[0])) tokens.push(word);
    end = run.index + run[0].length;
  }
  addSpaced(text.slice(end), tokens);
  return tokens;
}

/** Whether a token has a letter or digit, and so is a word. */
export function isWord(token: string): boolean {
  return wordCharacter.test(token);
}

/** How many words a line has, those between white space counted whole. */
export function countWords(line: string): number {
  return unspacedCharacter.test(line) ? tokenize(line).filter(isWord).length : (line.match(/\S+/gu)?.length ?? 0);
}

function addSpaced(text: string, tokens: string[]): void {
  for (const token of text.match(spacedToken) ?? []) tokens.push(token);
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
