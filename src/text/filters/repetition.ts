import { mix32 } from '../../core/mix32.ts';
import type { Tokens } from './tokens.ts';

/**
 * The fraction of lines or paragraphs that are copies of an earlier one: by count, and by characters out of `total`,
 * which defaults to those of the list.
 */
export function duplicateShares(
  items: readonly string[],
  total?: number,
): { readonly count: number; readonly characters: number } {
  const seen = new Set<string>();
  let copies = 0,
    copiedCharacters = 0,
    characters = 0;
  for (const item of items) {
    characters += item.length;
    if (seen.has(item)) {
      copies++;
      copiedCharacters += item.length;
    }
    seen.add(item);
  }
  return { count: copies / Math.max(items.length, 1), characters: copiedCharacters / Math.max(total ?? characters, 1) };
}

export interface NGramShares {
  /** Fraction of the characters in the most frequent n-gram, including its spaces; 0 when none occurs twice. */
  readonly top: number;
  /** Fraction of the characters inside n-grams that occurred before. */
  readonly duplicate: number;
}

/**
 * {@link NGramShares} for every n from 1 to `most`, as datatrove counts them.
 * @param total characters of the text
 */
export function nGramShares(tokens: Tokens, most: number, total: number): readonly NGramShares[] {
  const grams = tokens.count > mostKept ? new RepeatedGrams() : kept;
  grams.read(tokens);
  const result: NGramShares[] = [];
  for (let n = 1; n <= most; n++) {
    if (n > 1) grams.lengthen();
    result.push({
      top: topCharacters(grams, n) / Math.max(total, 1),
      duplicate: duplicateCharacters(grams, n) / Math.max(total, 1),
    });
  }
  return result;
}

/**
 * The n-grams of a text that occur more than once, which are few when n is 3 and hardly any when it is 5. An n-gram
 * that contains an (n-1)-gram that occurs once also occurs once, so only the repeated (n-1)-grams need to be looked at
 * for n. Its arrays are reused for one text after another, and extend beyond the lengths given here.
 */
class RepeatedGrams {
  /** The positions of n-grams, in order; `length` of them. */
  places = new Int32Array(0);
  length = 0;
  /** By position, the number of the n-gram that begins there, from 0; -1 if no repeated one does. */
  ids = new Int32Array(0);
  /** By number, how often it occurs. */
  counts = new Int32Array(0);
  /** The count of numbers. */
  distinct = 0;
  /** By number, for callers that iterate over the n-grams. */
  seen = new Uint8Array(0);
  /** Characters before token n. */
  before = new Uint32Array(1);
  private tokens = 0;
  /** By number, the first token that has it. */
  private firsts = new Int32Array(0);
  /** A hash table: three numbers per slot. */
  private slots = new Int32Array(0);

  /** The tokens themselves: n is 1. */
  read({ text, count, starts, ends, hashes }: Tokens): void {
    this.tokens = this.length = count;
    if (count > this.ids.length) this.grow(count);
    const { before, ids, counts, places, firsts } = this;
    const mask = this.clear();
    const { slots } = this;
    let distinct = 0;
    for (let at = 0; at < count; at++) {
      const start = starts[at]!,
        length = ends[at]! - start,
        hash = hashes[at]!;
      before[at + 1] = before[at]! + length;
      places[at] = at;
      let slot = mix32(hash) & mask;
      for (; slots[slot * 3] !== 0; slot = (slot + 1) & mask) {
        const first = firsts[slots[slot * 3]! - 1]!;
        if (
          slots[slot * 3 + 1] === hash &&
          slots[slot * 3 + 2] === length &&
          isSame(text, starts[first]!, start, length)
        )
          break;
      }
      if (slots[slot * 3] === 0) {
        firsts[distinct] = at;
        counts[distinct] = 0;
        slots[slot * 3] = ++distinct;
        slots[slot * 3 + 1] = hash;
        slots[slot * 3 + 2] = length;
      }
      const id = slots[slot * 3]! - 1;
      ids[at] = id;
      counts[id]!++;
    }
    this.distinct = distinct;
    this.keepRepeated();
  }

  /**
   * Move from n-grams to (n+1)-grams, which are identified by the numbers of the n-grams that begin and end them:
   * exact, without hashes.
   */
  lengthen(): void {
    const { places, ids, counts, length, tokens } = this;
    const mask = this.clear();
    const { slots } = this;
    let distinct = 0;
    for (let index = 0; index < length; index++) {
      const place = places[index]!,
        first = ids[place]!,
        last = place + 1 < tokens ? ids[place + 1]! : -1;
      ids[place] = -1;
      if (last < 0) continue;
      let slot = mix32(Math.imul(first, 0x9e3779b1) ^ last) & mask;
      while (slots[slot * 3] !== 0 && (slots[slot * 3 + 1] !== first || slots[slot * 3 + 2] !== last))
        slot = (slot + 1) & mask;
      if (slots[slot * 3] === 0) {
        counts[distinct] = 0;
        slots[slot * 3] = ++distinct;
        slots[slot * 3 + 1] = first;
        slots[slot * 3 + 2] = last;
      }
      const id = slots[slot * 3]! - 1;
      ids[place] = id;
      counts[id]!++;
    }
    this.distinct = distinct;
    this.keepRepeated();
  }

  private keepRepeated(): void {
    const { places, ids, counts } = this;
    let kept = 0;
    for (let index = 0; index < this.length; index++) {
      const place = places[index]!;
      if (ids[place]! >= 0 && counts[ids[place]!]! > 1) places[kept++] = place;
      else ids[place] = -1;
    }
    this.length = kept;
  }

  /** Clear a table for `length` entries, with at least twice as many slots, and return the mask of its slots. */
  private clear(): number {
    const size = 2 ** (33 - Math.clz32(this.length));
    if (size * 3 > this.slots.length) this.slots = new Int32Array(size * 3);
    else this.slots.fill(0, 0, size * 3);
    return size - 1;
  }

  private grow(tokens: number): void {
    const size = Math.max(tokens, this.ids.length * 2);
    this.places = new Int32Array(size);
    this.ids = new Int32Array(size);
    this.counts = new Int32Array(size);
    this.firsts = new Int32Array(size);
    this.seen = new Uint8Array(size);
    this.before = new Uint32Array(size + 1);
  }
}

/** Arrays for texts of up to this many tokens are kept; those of a longer one, about 80 bytes per token, are not. */
const mostKept = 1 << 18;
const kept = new RepeatedGrams();

function isSame(text: string, a: number, b: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (text.charCodeAt(a + at) !== text.charCodeAt(b + at)) return false;
  return true;
}

/** Characters of all occurrences of the most frequent n-gram; the first among equals. */
function topCharacters({ places, length, ids, counts, before }: RepeatedGrams, n: number): number {
  let most = 1,
    characters = 0;
  for (let index = 0; index < length; index++) {
    const place = places[index]!,
      count = counts[ids[place]!]!;
    if (count <= most) continue;
    most = count;
    characters = most * (before[place + n]! - before[place]! + n - 1);
  }
  return characters;
}

/**
 * Characters of n-grams that occurred before. After such an n-gram the count continues behind it, and only n-grams
 * visited in this way count as having occurred.
 */
function duplicateCharacters({ places, length, ids, distinct, seen, before }: RepeatedGrams, n: number): number {
  seen.fill(0, 0, distinct);
  let characters = 0,
    next = 0;
  for (let index = 0; index < length; index++) {
    const place = places[index]!;
    if (place < next) continue;
    if (seen[ids[place]!]) {
      characters += before[place + n]! - before[place]!;
      next = place + n;
    }
    seen[ids[place]!] = 1;
  }
  return characters;
}
