import { byteToChar } from './bytes.ts';
import { empty, IndexLists } from './index-lists.ts';
import { baseTokens, completeModel, type BpeModel, type Merge } from './model.ts';
import { PriorityQueue } from './priority-queue.ts';

export interface BpeTraining {
  /** Number of ids, special tokens included. */
  readonly vocabSize: number;
  /** Pairs that occur less often are not merged. */
  readonly minFrequency: number;
  onProgress?(tokens: number, total: number): void;
}

/** A pair that may be merged next, with the words that contained it when it was queued. */
interface Candidate {
  readonly pair: Pair;
  count: number;
  readonly words: number;
}

interface Pair {
  readonly left: number;
  readonly right: number;
  count: number;
  /** List of the words in which the current step created this pair. */
  fresh: number;
}

/**
 * Learn byte-level BPE (Sennrich et al. 2016; bytes as in GPT-2) from counted pre-tokens. The most frequent pair is
 * merged first, and the one with the lowest ids among equals. Counts are kept incrementally, as Hugging Face's
 * BpeTrainer keeps them, and the result is the same vocabulary. The order of `words` does not matter.
 */
export function trainBpe(
  words: ReadonlyMap<string, number>,
  { vocabSize, minFrequency, onProgress }: BpeTraining,
): BpeModel {
  const tokens = [...baseTokens];
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const target = vocabSize - 1; // <mask> is added at the end
  const corpus = new Corpus(words, ids);
  const queue = new PriorityQueue<Candidate>(comesFirst);
  corpus.takeFresh(queue);
  const learned = new Map<number, Merge>();
  for (let top = queue.pop(); top && tokens.length < target; top = queue.pop()) {
    const { pair } = top;
    if (top.count !== pair.count) {
      top.count = pair.count;
      if (top.count > 0) queue.push(top);
      else corpus.forget(top);
      continue;
    }
    if (top.count < Math.max(1, minFrequency)) break;
    const spelling = tokens[pair.left]! + tokens[pair.right]!;
    let id = ids.get(spelling);
    if (id === undefined) {
      id = tokens.push(spelling) - 1;
      ids.set(spelling, id);
    }
    const key = keyOf(pair.left, pair.right);
    learned.delete(key); // a pair that is merged again has the rank of its last merge
    learned.set(key, { left: pair.left, right: pair.right, id });
    corpus.merge(top, id);
    corpus.takeFresh(queue);
    onProgress?.(tokens.length, target);
  }
  return completeModel(tokens, [...learned.values()]);
}

function comesFirst(a: Candidate, b: Candidate): boolean {
  if (a.count !== b.count) return a.count > b.count;
  return a.pair.left !== b.pair.left ? a.pair.left < b.pair.left : a.pair.right < b.pair.right;
}

const keyOf = (left: number, right: number): number => left * 0x1000000 + right;

/** All distinct words as ids, with the counts of the pairs in them; about 300 bytes per word in total. */
class Corpus {
  /** Ids of all words, one after another; a word that became shorter leaves a gap behind it. */
  private readonly symbols: Uint32Array;
  private readonly starts: Uint32Array;
  private readonly lengths: Uint32Array;
  private readonly counts: Float64Array;
  private readonly pairs = new Map<number, Pair>();
  private readonly lists = new IndexLists();
  private touched: Pair[] = [];

  constructor(words: ReadonlyMap<string, number>, ids: ReadonlyMap<string, number>) {
    const encoder = new TextEncoder();
    const idOfByte = byteToChar.map((char) => ids.get(char)!);
    this.starts = new Uint32Array(words.size);
    this.lengths = new Uint32Array(words.size);
    this.counts = new Float64Array(words.size);
    let total = 0;
    for (const word of words.keys()) total += Buffer.byteLength(word);
    this.symbols = new Uint32Array(total);
    let index = 0,
      start = 0;
    for (const [word, count] of words) {
      const bytes = encoder.encode(word);
      this.starts[index] = start;
      this.lengths[index] = bytes.length;
      this.counts[index] = count;
      for (const byte of bytes) this.symbols[start++] = idOfByte[byte]!;
      for (let at = start - bytes.length + 1; at < start; at++)
        this.change(this.symbols[at - 1]!, this.symbols[at]!, count, index);
      index++;
    }
  }

  /** Replace a pair in the words that it was queued with. */
  merge({ pair, words }: Candidate, id: number): void {
    for (const index of this.lists.drain(words)) this.mergeWord(index, pair, id);
  }

  /** Release the list of a candidate that no longer occurs in any word. */
  forget({ words }: Candidate): void {
    for (const _ of this.lists.drain(words));
  }

  /** Queue the pairs that the last step created. */
  takeFresh(queue: PriorityQueue<Candidate>): void {
    for (const pair of this.touched) {
      const candidate = { pair, count: pair.count, words: pair.fresh };
      if (pair.count > 0) queue.push(candidate);
      else this.forget(candidate);
      pair.fresh = empty;
    }
    this.touched = [];
  }

  /** Replace the pair in a word, left to right, and count the pairs that this removes and adds. */
  private mergeWord(index: number, { left, right }: Pair, id: number): void {
    const { symbols } = this;
    const start = this.starts[index]!,
      end = start + this.lengths[index]!,
      count = this.counts[index]!;
    let kept = start;
    for (let at = start; at < end; at++, kept++) {
      if (symbols[at] !== left || at + 1 === end || symbols[at + 1] !== right) {
        symbols[kept] = symbols[at]!;
        continue;
      }
      if (kept > start) {
        this.change(symbols[kept - 1]!, left, -count, index);
        this.change(symbols[kept - 1]!, id, count, index);
      }
      symbols[kept] = id;
      at++;
      if (at + 1 < end) {
        this.change(right, symbols[at + 1]!, -count, index);
        this.change(id, symbols[at + 1]!, count, index);
      }
    }
    this.lengths[index] = kept - start;
  }

  private change(left: number, right: number, by: number, word: number): void {
    const key = keyOf(left, right);
    let pair = this.pairs.get(key);
    if (!pair) this.pairs.set(key, (pair = { left, right, count: 0, fresh: empty }));
    pair.count += by;
    if (by < 0) return;
    if (pair.fresh === empty) this.touched.push(pair);
    if (pair.fresh === empty || this.lists.first(pair.fresh) !== word) pair.fresh = this.lists.add(pair.fresh, word);
  }
}
