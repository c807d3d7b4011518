/** Where a sequence may end and what it may contain (Liu et al. 2019, section 4.2); `PairPacker` packs pairs. */
export type Packing = 'full-sentences' | 'doc-sentences' | PairPacking;
export type PairPacking = 'segment-pair' | 'sentence-pair';

/** A tokenized sentence; `starts` are the positions in it at which a word begins, ascending. */
export interface Sentence {
  readonly ids: ArrayLike<number>;
  readonly starts: readonly number[];
}

export interface PackedSequence {
  readonly input_ids: Uint32Array;
  readonly word_starts: Uint16Array;
  readonly doc_ids: Uint32Array;
  /**
   * For a pair: 0 when the second half follows the first in their document, 1 when it is from elsewhere, as in Hugging
   * Face.
   */
  readonly next_sentence_label?: 0 | 1;
}

export interface PackOptions {
  /** Maximum number of tokens of a sequence, including `<s>` and `</s>`. */
  readonly maxLength: number;
  /** Shorter sequences are dropped. */
  readonly minLength: number;
  readonly packing: Exclude<Packing, PairPacking>;
  readonly bos: number;
  readonly eos: number;
}

/**
 * Packs sentences into sequences `<s> … </s>`. FULL-SENTENCES fills each with whole sentences, across documents with a
 * `</s>` between them; DOC-SENTENCES begins a new one with each document. A sentence longer than a sequence is cut
 * before a word if possible.
 */
export class Packer {
  /** Sequences dropped because they were shorter than `minLength`, and their tokens. */
  readonly dropped = { sequences: 0, tokens: 0 };
  private readonly options: PackOptions;
  private ids: number[] = [];
  private starts: number[] = [];
  private documents: number[] = [];

  constructor(options: PackOptions) {
    this.options = options;
  }

  /** The sequences that are complete with this document; `ordinal` goes into their `doc_ids`. */
  *add(ordinal: number, sentences: Iterable<Sentence>): Generator<PackedSequence> {
    const { maxLength, packing, eos } = this.options;
    let isFirst = true;
    for (const sentence of sentences) {
      const separator = isFirst && this.ids.length > 0 ? 1 : 0;
      isFirst = false;
      if (this.length + separator + sentence.ids.length > maxLength) yield* this.flush();
      else if (separator) this.ids.push(eos);
      for (const piece of fittingPieces(sentence, maxLength - 2)) {
        if (this.length + piece.to - piece.from > maxLength) yield* this.flush();
        this.append(sentence.ids, piece, ordinal);
      }
    }
    if (packing === 'doc-sentences') yield* this.flush();
  }

  /** The remaining sequence when there are no more documents. */
  *flush(): Generator<PackedSequence> {
    if (this.ids.length === 0) return;
    const { bos, eos, minLength } = this.options;
    const input_ids = Uint32Array.of(bos, ...this.ids, eos);
    const sequence = {
      input_ids,
      word_starts: Uint16Array.from(this.starts),
      doc_ids: Uint32Array.from(this.documents),
    };
    this.ids = [];
    this.starts = [];
    this.documents = [];
    if (input_ids.length >= minLength) {
      yield sequence;
    } else {
      this.dropped.sequences++;
      this.dropped.tokens += input_ids.length;
    }
  }

  /** Length of the current sequence if it ends here. */
  private get length(): number {
    return this.ids.length + 2;
  }

  private append(ids: ArrayLike<number>, { from, to, starts }: Piece, ordinal: number): void {
    const shift = this.ids.length + 1 - from;
    for (const start of starts) this.starts.push(start + shift);
    for (let i = from; i < to; i++) this.ids.push(ids[i]!);
    if (this.documents.at(-1) !== ordinal) this.documents.push(ordinal);
  }
}

export interface Piece {
  readonly from: number;
  readonly to: number;
  /** Word starts in the piece, as positions in the sentence. */
  readonly starts: readonly number[];
}

/** A sentence as pieces of at most `room` tokens, cut before the last word that begins in the piece, if any. */
export function* fittingPieces({ ids, starts }: Sentence, room: number): Generator<Piece> {
  let from = 0;
  let next = 0;
  while (from < ids.length) {
    const first = next;
    let to = Math.min(ids.length, from + room);
    while (next < starts.length && starts[next]! < to) next++;
    const lastStart = starts[next - 1];
    const isCut = to < ids.length && starts[next] !== to;
    if (isCut && lastStart !== undefined && lastStart > from) {
      to = lastStart;
      next--;
    }
    yield { from, to, starts: starts.slice(first, next) };
    from = to;
  }
}
