import { mix } from '../random.ts';
import type { Tokens } from './tokens.ts';

/**
 * How much of a list of lines or paragraphs are copies of an earlier one: by count, and by characters of `total`, which
 * are those of the list unless said.
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
  /**
   * Share of the characters that the most frequent n-gram makes up, the spaces in it included; 0 when none occurs
   * twice.
   */
  readonly top: number;
  /** Share of the characters inside n-grams that occurred before. */
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
 * The n-grams of a text that occur more than once, which are few when n is 3 and hardly any when it is 5. One that
 * holds an (n-1)-gram that occurs once occurs once itself, so that those of n-1 are all that need be looked at for n.
 * Its arrays can be used for one text after the other and go on behind what is said of them.
 */
class RepeatedGrams {
  /** Where one begins, in order; of `length` places. */
  places = new Int32Array(0);
  length = 0;
  /** By place the number of the n-gram that begins there, from 0; -1 where none that is repeated does. */
  ids = new Int32Array(0);
  /** By number how often it occurs. */
  counts = new Int32Array(0);
  /** How many numbers there are. */
  distinct = 0;
  /** By number, for whoever goes over the n-grams. */
  seen = new Uint8Array(0);
  /** Characters before token n. */
  before = new Uint32Array(1);
  private tokens = 0;
  /** Of tokens, by number, the first that is it. */
  private firsts = new Int32Array(0);
  /** A hash table: three numbers a slot. */
  private slots = new Int32Array(0);

  /** Tokens themselves, n being 1. */
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
      let slot = mix(hash) & mask;
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
   * Go on from n-grams to (n+1)-grams, which are known by the numbers of the n-grams that begin and end them: exact, no
   * hashes.
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
      let slot = mix(Math.imul(first, 0x9e3779b1) ^ last) & mask;
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

  /** Empty a table for `length` entries, twice as many slots or more, and give the mask of its slots. */
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

/** Arrays for texts of so many tokens stay; those of a longer one, some 80 bytes a token, do not. */
const mostKept = 1 << 18;
const kept = new RepeatedGrams();

function isSame(text: string, a: number, b: number, length: number): boolean {
  for (let at = 0; at < length; at++) if (text.charCodeAt(a + at) !== text.charCodeAt(b + at)) return false;
  return true;
}

/** Characters of all occurrences of the most frequent n-gram, the first of equals. */
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
 * Characters of n-grams that occurred before; the count goes on behind one that did, and only n-grams on its way count
 * as having occurred.
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
