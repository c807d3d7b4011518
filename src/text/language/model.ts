import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../core/package-root.ts';
import { decodeModel, type ModelData } from './model-file.ts';
import { hashOf, highOf, longestNGram, lowOf, type NGramTable } from './ngram-table.ts';
import { plainUnits, space } from './plain-units.ts';

// The constants of ELD 2.1.0; the scores must equal its own.
/** Number of UTF-16 code units of a text that are read. */
const mostUnits = 1000;
/** Bytes of UTF-8 after which the next space ends the text, and those after which any letter does. */
const bytesToSpace = 350,
  bytesToLetter = 380;
/** Number of bytes of a word from which n-grams are taken, except the last one. */
const mostOfWord = 70;
const gramLength = 4,
  gramStride = 3;
/** Subtracted from all scores in the model's file. */
const leastScore = 53;
/** A mean score per n-gram of m is reported as m / (m + 25). */
const scale = 25;

/**
 * ELD's large model of 60 languages (npm `eld`), with exactly the same scores, but as typed arrays without an object or
 * a string per n-gram: 7 MB rather than 400. A text is cut into words of letters, and words into n-grams of four bytes
 * of UTF-8, every third one, with a space at the ends of the word; each n-gram counts once.
 */
export class LanguageModel {
  readonly languages: readonly string[];
  /** Of the text that {@link read} has read: by language, the mean score of an n-gram; 0 where none occurs in it. */
  readonly means: Float64Array;
  private readonly symbols: Uint8Array;
  private readonly usualScores: Float64Array;
  private readonly table: NGramTable;
  /** Code units of the text, lower-cased, with one space between words. */
  private readonly units = new Uint16Array(2 * mostUnits);
  /** Symbols of a word, with spaces around it. */
  private readonly word = new Uint8Array(bytesToLetter + 8);
  /** N-grams that the text has, two numbers each: a small hash table of its own, whose empty slots are 0. */
  private readonly seen = new Uint32Array(2 * seenSlots);
  private distinct = 0;

  private constructor(data: ModelData) {
    this.languages = data.languages;
    this.symbols = data.symbols;
    this.usualScores = data.usualScores;
    this.means = new Float64Array(data.languages.length);
    this.table = data.table;
  }

  static async load(): Promise<LanguageModel> {
    return new LanguageModel(decodeModel(await readFile(join(packageRoot, 'dist/language-model.bin'))));
  }

  /**
   * Score a text: sets the `means`, and returns the language with the greatest one, the first among equals; -1 when
   * there is none.
   */
  read(text: string): number {
    this.seen.fill(0);
    this.means.fill(0);
    this.distinct = 0;
    this.addWords(plainUnits(text, mostUnits, this.units));
    let best = -1;
    for (let language = 0; language < this.means.length; language++) {
      if (this.means[language] === 0) continue;
      this.means[language]! /= this.distinct;
      if (best < 0 || this.means[language]! > this.means[best]!) best = language;
    }
    return best;
  }

  /**
   * Whether the result of `read` is reliable: three n-grams, and three quarters of the usual score of texts in that
   * language.
   */
  isReliable(language: number): boolean {
    return this.distinct >= 3 && this.scaled(language) >= this.usualScores[language]! * 0.75;
  }

  /** The score of a language as ELD reports it, 0 to 1. */
  scaled(language: number): number {
    return this.means[language]! / (this.means[language]! + scale);
  }

  private addWords(length: number): void {
    const { units, word, symbols } = this;
    let bytes = 0,
      end = 1;
    for (let at = 0; at < length && bytes <= bytesToLetter; at++) {
      const unit = units[at]!;
      if (unit === space) {
        if (end > 1) this.addWord(end);
        end = 1;
        if (bytes++ > bytesToSpace) return;
      } else if (unit < 0x80) {
        word[end++] = unit;
        bytes++;
      } else if (unit < 0x800) {
        word[end++] = symbols[0xc0 | (unit >> 6)]!;
        word[end++] = symbols[0x80 | (unit & 0x3f)]!;
        bytes += 2;
      } else {
        word[end++] = symbols[0xe0 | (unit >> 12)]!;
        word[end++] = symbols[0x80 | ((unit >> 6) & 0x3f)]!;
        word[end++] = symbols[0x80 | (unit & 0x3f)]!;
        bytes += 3;
      }
    }
    if (end > 1) this.addWord(end);
  }

  /** N-grams of `word[1]` to `word[end - 1]`: the first with the space before it, the last with the space behind. */
  private addWord(end: number): void {
    this.word[0] = this.word[end] = space;
    const cut = Math.min(end - 1, mostOfWord) + 1;
    let from = 1;
    for (; from + gramLength < cut; from += gramStride) this.addGram(from === 1 ? 0 : from, from + gramLength);
    this.addGram(from === 1 ? 0 : cut - gramLength, end + 1); // the last n-gram of a cut word extends to its end
  }

  private addGram(from: number, to: number): void {
    const { word, seen } = this;
    const isKnowable = to - from <= longestNGram;
    const low = isKnowable ? lowOf(word, from, to) : hashBytes(word, from, to, 0x811c9dc5) || 1;
    const high = isKnowable ? highOf(word, from, to) : (hashBytes(word, from, to, 0x2f0b4c47) | 0x10000) >>> 0;
    for (let slot = hashOf(low, high) & (seenSlots - 1); ; slot = (slot + 1) & (seenSlots - 1)) {
      if (seen[slot * 2] === low && seen[slot * 2 + 1] === high) return;
      if (seen[slot * 2] !== 0) continue;
      seen[slot * 2] = low;
      seen[slot * 2 + 1] = high;
      this.distinct++;
      if (isKnowable) this.table.addTo(this.means, leastScore, low, high);
      return;
    }
  }
}

/** More than twice the number of n-grams that 380 bytes can have. */
const seenSlots = 512;

function hashBytes(bytes: Uint8Array, from: number, to: number, start: number): number {
  let hash = start;
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ bytes[at]!, 0x01000193);
  return hash >>> 0;
}
