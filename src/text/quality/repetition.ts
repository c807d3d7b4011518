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
  /** Share of the characters that the most frequent n-gram makes up, the spaces in it included. */
  readonly top: number;
  /** Share of the characters inside n-grams that occurred before. */
  readonly duplicate: number;
}

/**
 * {@link NGramShares} for every n from 1 to `most`, as datatrove counts them.
 * @param total characters of the text
 */
export function nGramShares(words: readonly string[], most: number, total: number): readonly NGramShares[] {
  const ends = new Float64Array(words.length + 1); // characters before word i
  words.forEach((word, index) => { ends[index + 1] = ends[index]! + word.length; });
  let grams = numberWords(words);
  const { ids, distinct: vocabulary } = grams;
  const result: NGramShares[] = [];
  for (let n = 1; n <= most; n++) {
    if (n > 1) grams = lengthen(grams, ids, vocabulary, n);
    result.push({ top: topCharacters(grams, n, ends) / Math.max(total, 1), duplicate: duplicateCharacters(grams, n, ends) / Math.max(total, 1) });
  }
  return result;
}

/** The n-grams of a text as numbers, equal for equal ones and without gaps, and how often each occurs. */
interface Grams {
  readonly ids: Uint32Array;
  readonly counts: Uint32Array;
  readonly distinct: number;
}

function numberWords(words: readonly string[]): Grams {
  const known = new Map<string, number>();
  const ids = new Uint32Array(words.length), counts = new Uint32Array(words.length);
  words.forEach((word, at) => {
    const id = known.get(word) ?? known.size;
    known.set(word, id);
    ids[at] = id;
    counts[id]!++;
  });
  return { ids, counts, distinct: known.size };
}

/**
 * From (n-1)-grams to n-grams, which are known by the number of their first n-1 words and of their last: exact, no
 * hashes. One that holds an (n-1)-gram that occurs once occurs once itself and need not be looked up, which is nearly all.
 */
function lengthen(shorter: Grams, words: Uint32Array, vocabulary: number, n: number): Grams {
  const length = Math.max(shorter.ids.length - 1, 0);
  const known = new Map<number, number>();
  const ids = new Uint32Array(length), counts = new Uint32Array(length);
  let distinct = 0;
  for (let at = 0; at < length; at++) {
    const first = shorter.ids[at]!;
    let id: number | undefined;
    if (shorter.counts[first]! > 1 && shorter.counts[shorter.ids[at + 1]!]! > 1) {
      const key = first * vocabulary + words[at + n - 1]!;
      id = known.get(key);
      if (id === undefined) known.set(key, distinct);
    }
    id ??= distinct++;
    ids[at] = id;
    counts[id]!++;
  }
  return { ids, counts, distinct };
}

/** Characters of all occurrences of the most frequent n-gram, the first of equals; 0 when none occurs twice. */
function topCharacters({ ids, counts }: Grams, n: number, ends: Float64Array): number {
  let most = 1, characters = 0;
  ids.forEach((id, at) => {
    if (counts[id]! <= most) return;
    most = counts[id]!;
    characters = most * (ends[at + n]! - ends[at]! + n - 1);
  });
  return characters;
}

/** Characters of n-grams that occurred before; the count goes on behind one that did, and only n-grams on its way count as having occurred. */
function duplicateCharacters({ ids, distinct }: Grams, n: number, ends: Float64Array): number {
  const seen = new Uint8Array(distinct);
  let characters = 0;
  for (let at = 0; at < ids.length; at++) {
    const id = ids[at]!;
    if (seen[id]) {
      characters += ends[at + n]! - ends[at]!;
      at += n - 1;
    }
    seen[id] = 1;
  }
  return characters;
}
