import { mix } from '../random.ts';
import type { Tokens } from './tokens.ts';

/** How much of a list of lines or paragraphs are copies of an earlier one: by count, and by characters of `total`, which are those of the list unless said. */
export function duplicateShares(items: readonly string[], total?: number): { readonly count: number; readonly characters: number } {
  const seen = new Set<string>();
  let copies = 0, copiedCharacters = 0, characters = 0;
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
  /** Share of the characters that the most frequent n-gram makes up, the spaces in it included; 0 when none occurs twice. */
  readonly top: number;
  /** Share of the characters inside n-grams that occurred before. */
  readonly duplicate: number;
}

/**
 * {@link NGramShares} for every n from 1 to `most`, as datatrove counts them.
 * @param total characters of the text
 */
export function nGramShares(tokens: Tokens, most: number, total: number): readonly NGramShares[] {
  const before = new Uint32Array(tokens.count + 1); // characters before token i
  for (let index = 0; index < tokens.count; index++) before[index + 1] = before[index]! + tokens.ends[index]! - tokens.starts[index]!;
  const grams = new RepeatedGrams(tokens);
  const result: NGramShares[] = [];
  for (let n = 1; n <= most; n++) {
    if (n > 1) grams.lengthen();
    result.push({ top: topCharacters(grams, n, before) / Math.max(total, 1), duplicate: duplicateCharacters(grams, n, before) / Math.max(total, 1) });
  }
  return result;
}

/**
 * The n-grams of a text that occur more than once, which are few when n is 3 and hardly any when it is 5. One that holds
 * an (n-1)-gram that occurs once occurs once itself, so that those of n-1 are all that need be looked at for n.
 */
class RepeatedGrams {
  /** Where one begins, in order; of `length` places. */
  readonly places: Int32Array;
  length = 0;
  /** By place the number of the n-gram that begins there, from 0; -1 where none that is repeated does. */
  readonly ids: Int32Array;
  /** By number how often it occurs. */
  counts: Int32Array;

  /** Tokens themselves, n being 1. */
  constructor(tokens: Tokens) {
    const { text, count, starts, ends, hashes } = tokens;
    this.ids = new Int32Array(count);
    this.counts = new Int32Array(count);
    this.places = new Int32Array(count);
    const firsts = new Int32Array(count); // where number n occurs first
    const mask = slotsFor(count) - 1;
    const slots = new Int32Array(mask + 1); // number + 1
    let distinct = 0;
    for (let at = 0; at < count; at++) {
      const length = ends[at]! - starts[at]!, hash = hashes[at]!;
      let slot = mix(hash) & mask;
      for (; slots[slot] !== 0; slot = (slot + 1) & mask) {
        const first = firsts[slots[slot]! - 1]!;
        if (hashes[first] === hash && ends[first]! - starts[first]! === length && isSame(text, starts[first]!, starts[at]!, length)) break;
      }
      if (slots[slot] === 0) {
        firsts[distinct] = at;
        slots[slot] = ++distinct;
      }
      this.ids[at] = slots[slot]! - 1;
      this.counts[slots[slot]! - 1]!++;
      this.places[at] = at;
    }
    this.length = count;
    this.keepRepeated();
  }

  /** Go on from n-grams to (n+1)-grams, which are known by the numbers of the n-grams that begin and end them: exact, no hashes. */
  lengthen(): void {
    const { places, ids, length } = this;
    const mask = slotsFor(length) - 1;
    const slots = new Int32Array(3 * (mask + 1)); // both numbers, and the new number + 1
    this.counts = new Int32Array(length);
    let distinct = 0;
    for (let index = 0; index < length; index++) {
      const place = places[index]!, first = ids[place]!, last = place + 1 < ids.length ? ids[place + 1]! : -1;
      ids[place] = -1;
      if (last < 0) continue;
      let slot = mix(Math.imul(first, 0x9e3779b1) ^ last) & mask;
      while (slots[slot * 3 + 2] !== 0 && (slots[slot * 3] !== first || slots[slot * 3 + 1] !== last)) slot = (slot + 1) & mask;
      if (slots[slot * 3 + 2] === 0) {
        slots[slot * 3] = first;
        slots[slot * 3 + 1] = last;
        slots[slot * 3 + 2] = ++distinct;
      }
      ids[place] = slots[slot * 3 + 2]! - 1;
      this.counts[ids[place]!]!++;
    }
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
}

/** A power of two, twice as many as there will be entries. */
function slotsFor(entries: number): number {
  return 2 ** (33 - Math.clz32(entries));
}

function isSame(text: string, a: number, b: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (text.charCodeAt(a + at) !== text.charCodeAt(b + at)) return false;
  return true;
}

/** Characters of all occurrences of the most frequent n-gram, the first of equals. */
function topCharacters({ places, length, ids, counts }: RepeatedGrams, n: number, before: Uint32Array): number {
  let most = 1, characters = 0;
  for (let index = 0; index < length; index++) {
    const place = places[index]!, count = counts[ids[place]!]!;
    if (count <= most) continue;
    most = count;
    characters = most * (before[place + n]! - before[place]! + n - 1);
  }
  return characters;
}

/** Characters of n-grams that occurred before; the count goes on behind one that did, and only n-grams on its way count as having occurred. */
function duplicateCharacters({ places, length, ids, counts }: RepeatedGrams, n: number, before: Uint32Array): number {
  const seen = new Uint8Array(counts.length);
  let characters = 0, next = 0;
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
