import type { Tokenizer } from '../bpe/encode.ts';
import { spellingToBytes } from '../bpe/bytes.ts';

/** How `tokenize` finds where words begin. */
export type WordSegmentation = 'whitespace' | 'jieba' | 'auto';

/** Cuts text into words that, joined, are the text. */
export type Segmenter = (text: string) => readonly string[];

/** Marks the tokens of a text at which a word begins, as positions from 0. */
export type WordMarker = (text: string, ids: Uint32Array) => number[];

/** A marker for words between white space; punctuation is a word of its own, a contraction (`'s`) is not. */
export function whitespaceMarker(tokenizer: Tokenizer): WordMarker {
  const { tokens, added } = tokenizer.model;
  const begins = Uint8Array.from(tokens, (token) => Number(beginsWord(token)));
  const ends = Uint8Array.from(tokens, (token) => Number(endsWord(token)));
  for (const { id } of added) begins[id] = ends[id] = 1; // it may have taken in the white space beside it
  const space = tokens.indexOf('Ġ'); // a space of its own belongs to what follows
  return (_, ids) => {
    const starts: number[] = [];
    for (let i = 0; i < ids.length; i++)
      if (i === 0 || (ids[i - 1] !== space && (begins[ids[i]!] || ends[ids[i - 1]!]))) starts.push(i);
    return starts;
  };
}

/** A marker for a segmenter's words: a token begins a word when a word's first byte lies in it. */
export function segmentMarker(tokenizer: Tokenizer, segment: Segmenter): WordMarker {
  return (text, ids) => {
    const starts: number[] = [];
    const ends = tokenizer.byteEnds(text, ids);
    let token = 0;
    let at = 0;
    for (const word of spacedWords(text, segment)) {
      while (token < ids.length && at >= ends[token]!) token++;
      if (token < ids.length && starts.at(-1) !== token) starts.push(token);
      at += Buffer.byteLength(word);
    }
    return starts;
  };
}

/** A segmenter's words, each with the space before it, as the vocabulary has them. */
function* spacedWords(text: string, segment: Segmenter): Generator<string> {
  let space = '';
  for (const word of segment(text)) {
    if (word !== ' ') yield space + word;
    else if (space !== '') yield space;
    space = word === ' ' ? word : '';
  }
  if (space !== '') yield space;
}

/** Pieces of a text that no token is to span: its words, or for `auto` those of its Chinese lines, the others whole. */
export function* unspannedPieces(text: string, segmentation: 'jieba' | 'auto', segment: Segmenter): Generator<string> {
  for (const line of text.split(/(?<=\n)/))
    if (segmentation === 'jieba' || isChinese(line)) yield* spacedWords(line, segment);
    else yield line;
}

/** A marker for each text by its script: jieba where Chinese characters are frequent, white space elsewhere. */
export function autoMarker(tokenizer: Tokenizer, segment: Segmenter): WordMarker {
  const whitespace = whitespaceMarker(tokenizer);
  const segments = segmentMarker(tokenizer, segment);
  return (text, ids) => (isChinese(text) ? segments : whitespace)(text, ids);
}

/** jieba's dictionary segmentation with its hidden Markov model for unknown words; loaded when first asked for. */
export async function jiebaSegmenter(): Promise<Segmenter> {
  const [{ Jieba }, { dict }] = await Promise.all([import('@node-rs/jieba'), import('@node-rs/jieba/dict.js')]);
  const jieba = Jieba.withDict(dict);
  return (text) => jieba.cut(text, true);
}

/** Whether at least a fifth of the text is Chinese characters. */
function isChinese(text: string): boolean {
  let han = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if ((code >= 0x4e00 && code <= 0x9fff) || (code >= 0x3400 && code <= 0x4dbf)) han++;
  }
  return han * 5 >= text.length && han > 0;
}

function beginsWord(token: string): boolean {
  const first = spellingToBytes(token)?.[0];
  if (first === undefined || /^'(?:[sdmt]|ll|ve|re)$/.test(token)) return false;
  return isSpaceByte(first) || isPunctuation(first);
}

function endsWord(token: string): boolean {
  const bytes = spellingToBytes(token);
  const last = bytes?.at(-1);
  if (last === undefined || token === "'") return false;
  return isSpaceByte(last) || isPunctuation(last);
}

function isSpaceByte(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

function isPunctuation(byte: number): boolean {
  return (
    (byte >= 33 && byte <= 47) ||
    (byte >= 58 && byte <= 64) ||
    (byte >= 91 && byte <= 96) ||
    (byte >= 123 && byte <= 126)
  );
}
