import { byteToChar } from './bytes.ts';
import { baseTokens, completeModel, type BpeModel, type Merge } from './model.ts';
import { PriorityQueue } from './priority-queue.ts';

export interface BpeTraining {
  /** Number of ids, special tokens included. */
  readonly vocabSize: number;
  /** A pair that occurs less often is not merged. */
  readonly minFrequency: number;
  onProgress?(tokens: number, total: number): void;
}

/** A pair that may be merged next, with the words it was seen to appear in when it was queued. */
interface Candidate {
  readonly pair: Pair;
  count: number;
  readonly words: readonly number[];
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** Words in which the running step made this pair. */
  fresh: number[];
}

/**
 * Learn byte-level BPE (Sennrich et al. 2016; bytes as in GPT-2) from counted pre-tokens. The most frequent pair is merged
 * first, of equals the one with the lowest ids; counts are kept incrementally, as Hugging Face's BpeTrainer keeps them,
 * and the result is the same vocabulary. The order of `words` does not matter.
 */
export function trainBpe(words: ReadonlyMap<string, number>, { vocabSize, minFrequency, onProgress }: BpeTraining): BpeModel {
  const tokens = [...baseTokens];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const target = vocabSize - 1; // <mask> is added at the end
  const corpus = new Corpus(words, ids);
  const queue = new PriorityQueue<Candidate>(comesFirst);
  corpus.takeFresh(queue);
  const learned = new Map<Pair, Merge>();
  for (let top = queue.pop(); top && tokens.length < target; top = queue.pop()) {
    const { pair } = top;
    if (top.count !== pair.count) {
      top.count = pair.count;
      if (top.count > 0) queue.push(top);
      continue;
    }
    if (top.count < Math.max(1, minFrequency)) break;
    const spelling = tokens[pair.left]! + tokens[pair.right]!;
    let id = ids.get(spelling);
    if (id === undefined) {
      id = tokens.push(spelling) - 1;
      ids.set(spelling, id);
    }
    learned.delete(pair); // a pair that is merged again ranks where it was merged last
    learned.set(pair, { left: pair.left, right: pair.right, id });
    for (const word of top.words) corpus.merge(word, pair, id);
    corpus.takeFresh(queue);
    onProgress?.(tokens.length, target);
  }
  return completeModel(tokens, [...learned.values()]);
}

function comesFirst(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.pair.left !== b.pair.left ? a.pair.left < b.pair.left : a.pair.right < b.pair.right;
}

/** Every distinct word as ids, with the counts of the pairs in them. */
class Corpus {
  private readonly words: number[][] = [];
  private readonly counts: number[] = [];
  private readonly pairs = new Map<number, Pair>();
  private touched: Pair[] = [];

  constructor(words: ReadonlyMap<string, number>, ids: ReadonlyMap<string, number>) {
    const encoder = new TextEncoder();
    const idOfByte = byteToChar.map((char) => ids.get(char)!);
    for (const [word, count] of words) {
      const symbols = Array.from(encoder.encode(word), (byte) => idOfByte[byte]!);
      const index = this.words.push(symbols) - 1;
      this.counts.push(count);
      for (let i = 1; i < symbols.length; i++) this.change(symbols[i - 1]!, symbols[i]!, count, index);
    }
  }

  /** Replace the pair in a word, left to right, and count what that takes away and brings. */
  merge(index: number, pair: Pair, id: number): void {
    const word = this.words[index]!;
    const { left, right } = pair;
    const count = this.counts[index]!;
    let kept = 0;
    for (let i = 0; i < word.length; i++, kept++) {
      if (word[i] !== left || word[i + 1] !== right) {
        word[kept] = word[i]!;
        continue;
      }
      if (kept > 0) {
        this.change(word[kept - 1]!, left, -count, index);
        this.change(word[kept - 1]!, id, count, index);
      }
      word[kept] = id;
      i++;
      if (i + 1 < word.length) {
        this.change(right, word[i + 1]!, -count, index);
        this.change(id, word[i + 1]!, count, index);
      }
    }
    word.length = kept;
  }

  /** Queue the pairs that the last step made. */
  takeFresh(queue: PriorityQueue<Candidate>): void {
    for (const pair of this.touched) {
      if (pair.count > 0) queue.push({ pair, count: pair.count, words: pair.fresh });
      pair.fresh = [];
    }
    this.touched = [];
  }

  private change(left: number, right: number, by: number, word: number): void {
    const key = left * 0x1000000 + right;
    let pair = this.pairs.get(key);
    if (!pair) this.pairs.set(key, (pair = { left, right, count: 0, fresh: [] }));
    pair.count += by;
    if (by < 0) return;
    if (pair.fresh.length === 0) this.touched.push(pair);
    if (pair.fresh.at(-1) !== word) pair.fresh.push(word);
  }
}
