import { fittingPieces, type PackedSequence, type PairPacking, type Sentence } from './pack.ts';
import { KeyedRandom } from '../random.ts';

export interface PairPackOptions {
  /** Maximum number of tokens of a pair, including the four special ones. */
  readonly maxLength: number;
  /** Shorter pairs are dropped. */
  readonly minLength: number;
  readonly packing: PairPacking;
  readonly bos: number;
  readonly eos: number;
  /** Number of tokens of the documents from which a second half from elsewhere is taken. */
  readonly windowTokens?: number;
}

/** A document of the window, its sentences cut so that any two of them fit into a pair. */
interface Held {
  readonly ordinal: number;
  readonly sentences: readonly Sentence[];
  readonly tokens: number;
}

/** Consecutive sentences of one document. */
type Segment = readonly Sentence[];

/** `<s>`, `</s></s>` and `</s>`. */
const specials = 4;

/**
 * Packs sentences into pairs `<s> A </s></s> B </s>` for next-sentence prediction. SENTENCE-PAIR takes one sentence for
 * each half; SEGMENT-PAIR takes as many as fit, cut in two at random. In half of the pairs, drawn by the document's
 * index in its shard, B is what follows A. In the others, B is from another document, and what follows A begins its own
 * pair: each sentence of a document is in one pair in its own order. The last sentence of a document, when nothing
 * follows it, is always paired with one of another document, so slightly more than half of the pairs are of this kind.
 * If there is only one document, such as a book in its own shard, B is from elsewhere in it.
 */
export class PairPacker {
  /** Pairs dropped because they were shorter than `minLength` or there were no other sentences, and their tokens. */
  readonly dropped = { sequences: 0, tokens: 0 };
  private readonly options: PairPackOptions;
  private readonly room: number;
  private readonly windowTokens: number;
  private window: Held[] = [];
  private heldTokens = 0;
  /** First document of the window that is not packed yet. */
  private next = 0;

  constructor(options: PairPackOptions) {
    this.options = options;
    this.room = options.maxLength - specials;
    this.windowTokens = options.windowTokens ?? 1 << 20;
  }

  /** Add a document; the pairs of the window's documents are returned when the window is full. */
  *add(ordinal: number, sentences: Iterable<Sentence>): Generator<PackedSequence> {
    const held: Sentence[] = [];
    for (const sentence of sentences) held.push(...piecesOf(sentence, this.room >> 1));
    if (held.length === 0) return;
    const tokens = lengthOf(held);
    this.window.push({ ordinal, sentences: held, tokens });
    this.heldTokens += tokens;
    if (this.heldTokens < this.windowTokens) return;
    yield* this.flush();
    // Half of the window stays for the documents that follow.
    while (this.window.length > 1 && this.heldTokens > this.windowTokens / 2)
      this.heldTokens -= this.window.shift()?.tokens ?? 0;
    this.next = this.window.length;
  }

  /** The pairs of the documents that were not packed yet. */
  *flush(): Generator<PackedSequence> {
    for (; this.next < this.window.length; this.next++) yield* this.pairs(this.window[this.next] as Held, this.next);
  }

  private *pairs({ ordinal, sentences }: Held, index: number): Generator<PackedSequence> {
    const random = new KeyedRandom(0, ordinal);
    for (let at = 0; at < sentences.length;) {
      const own = this.longest(sentences, at);
      const half = own.length === 1 ? 1 : 1 + random.below(own.length - 1);
      const first = own.slice(0, half);
      const elsewhere =
        own.length === 1 || random.next() < 0.5
          ? this.elsewhere(index, { at, end: at + own.length }, this.room - lengthOf(first), random)
          : undefined;
      if (elsewhere !== undefined) {
        yield* this.pair(
          first,
          elsewhere.segment,
          elsewhere.ordinal === ordinal ? [ordinal] : [ordinal, elsewhere.ordinal],
          1,
        );
        at += half;
      } else {
        if (own.length > 1) yield* this.pair(first, own.slice(half), [ordinal], 0);
        else this.drop(lengthOf(first) + specials);
        at += own.length;
      }
    }
  }

  /** The sentences from `at` on that fit into one pair: two of them for a pair of sentences. */
  private longest(sentences: readonly Sentence[], at: number, room = this.room): Segment {
    const most = this.options.packing === 'sentence-pair' ? (room === this.room ? 2 : 1) : Infinity;
    let length = 0;
    let end = at;
    while (end < sentences.length && end - at < most && length + (sentences[end]?.ids.length ?? 0) <= room)
      length += sentences[end++]?.ids.length ?? 0;
    return sentences.slice(at, end);
  }

  /**
   * Sentences of another document of the window, starting at a random one; if there is no other document, of the same
   * one, before or after those `taken`; `undefined` when there are none there either.
   */
  private elsewhere(
    index: number,
    taken: { readonly at: number; readonly end: number },
    room: number,
    random: KeyedRandom,
  ): { ordinal: number; segment: Segment } | undefined {
    const isAlone = this.window.length < 2;
    const drawn = isAlone ? index : random.below(this.window.length - 1);
    const { ordinal, sentences } = this.window[isAlone || drawn < index ? drawn : drawn + 1] as Held;
    const choice = sentences.length - (isAlone ? taken.end - taken.at : 0);
    if (choice === 0) return undefined;
    const pick = random.below(choice);
    const at = isAlone && pick >= taken.at ? pick + taken.end - taken.at : pick;
    const segment = this.longest(isAlone && at < taken.at ? sentences.slice(0, taken.at) : sentences, at, room);
    return { ordinal, segment: segment.length > 0 ? segment : piecesOf(sentences[at] as Sentence, room).slice(0, 1) };
  }

  private *pair(
    first: Segment,
    second: Segment,
    doc_ids: readonly number[],
    next_sentence_label: 0 | 1,
  ): Generator<PackedSequence> {
    const { bos, eos, minLength } = this.options;
    const ids = [bos];
    const starts: number[] = [];
    const append = (segment: Segment): void => {
      for (const sentence of segment) {
        for (const start of sentence.starts) starts.push(start + ids.length);
        for (let i = 0; i < sentence.ids.length; i++) ids.push(sentence.ids[i] as number);
      }
    };
    append(first);
    ids.push(eos, eos);
    append(second);
    ids.push(eos);
    if (ids.length < minLength) this.drop(ids.length);
    else
      yield {
        input_ids: Uint32Array.from(ids),
        word_starts: Uint16Array.from(starts),
        doc_ids: Uint32Array.from(doc_ids),
        next_sentence_label,
      };
  }

  private drop(tokens: number): void {
    this.dropped.sequences++;
    this.dropped.tokens += tokens;
  }
}

function piecesOf(sentence: Sentence, room: number): Sentence[] {
  const ids = Uint32Array.from(sentence.ids);
  return Array.from(fittingPieces(sentence, room), ({ from, to, starts }) => ({
    ids: ids.subarray(from, to),
    starts: starts.map((start) => start - from),
  }));
}

function lengthOf(segment: Segment): number {
  return segment.reduce((sum, { ids }) => sum + ids.length, 0);
}
