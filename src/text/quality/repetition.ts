/** How much of a list of lines or paragraphs are copies of an earlier one: by count, and by characters. */
export function duplicateShares(items: readonly string[]): { readonly count: number; readonly characters: number } {
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
  return { count: copies / Math.max(items.length, 1), characters: copiedCharacters / Math.max(characters, 1) };
}

export interface NGramShares {
  /** Share of the words' characters that the most frequent n-gram makes up. */
  readonly top: number;
  /** Share of the words' characters inside n-grams that occurred before. */
  readonly duplicate: number;
}

/** {@link NGramShares} for every n from 1 to `most`; n-grams are of words. */
export function nGramShares(words: readonly string[], most: number): readonly NGramShares[] {
  const ends = new Float64Array(words.length + 1); // characters before word i
  words.forEach((word, index) => { ends[index + 1] = ends[index]! + word.length; });
  const total = Math.max(ends[words.length]!, 1);
  let grams = numberWords(words);
  const { ids, distinct: vocabulary } = grams;
  const result: NGramShares[] = [];
  for (let n = 1; n <= most; n++) {
    if (n > 1) grams = lengthen(grams, ids, vocabulary, n);
    result.push({ top: topCharacters(grams, n, ends) / total, duplicate: duplicateCharacters(grams, n, ends) / total });
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

/** Characters of all occurrences of the most frequent n-gram, the longest of equals; 0 when none occurs twice. */
function topCharacters({ ids, counts }: Grams, n: number, ends: Float64Array): number {
  let most = 1, characters = 0;
  ids.forEach((id, at) => {
    const count = counts[id]!;
    if (count < most || count === 1) return;
    const covered = count * (ends[at + n]! - ends[at]!);
    if (count > most || covered > characters) characters = covered;
    most = count;
  });
  return characters;
}

/** Characters inside n-grams that occurred before, each counted once however many such n-grams overlap it. */
function duplicateCharacters({ ids, distinct }: Grams, n: number, ends: Float64Array): number {
  const seen = new Uint8Array(distinct);
  let characters = 0, until = 0;
  ids.forEach((id, at) => {
    if (seen[id]) {
      characters += ends[at + n]! - ends[Math.max(at, until)]!;
      until = at + n;
    }
    seen[id] = 1;
  });
  return characters;
}
