import { fail } from '../../core/diagnostic.ts';
import { AddedTokens, type Piece } from './added-tokens.ts';
import { byteToChar, spellingToBytes } from './bytes.ts';
import { WordMerger } from './merge-word.ts';
import type { BpeModel } from './model.ts';
import { detach, pretokenEnd } from './pretokenize.ts';

const cachedWordLength = 48;
const cacheSize = 1 << 18;

/**
 * Turns text into token ids and back. Words are cached, so ordinary text costs one map look-up per word. A word of
 * length n takes n log n steps. Special tokens written out in a text (`<s>`) are text, as everything in a corpus is.
 * @example
 * const tokenizer = new Tokenizer(loadTokenizer('outputs/pretrain/tokenizer'));
 * tokenizer.encode('Hello world'); // without <s> and </s>
 */
export class Tokenizer {
  readonly model: BpeModel;
  private readonly merger: WordMerger;
  private readonly bytes: readonly (Uint8Array | undefined)[];
  private readonly cache = new Map<string, readonly number[]>();
  /** Words that were added to the vocabulary; undefined when there are none, as is usual. */
  private readonly addedWords: AddedTokens | undefined;
  private readonly allAdded: AddedTokens;
  private ids = new Uint32Array(1 << 12);

  constructor(model: BpeModel) {
    this.model = model;
    const special = new Set(model.specialIds);
    const words = model.added.filter(({ id }) => !special.has(id));
    const spelled = new Map(words.map(({ id, content }) => [id, Buffer.from(content)]));
    this.bytes = model.tokens.map((token, id) =>
      special.has(id) ? undefined : (spelled.get(id) ?? spellingToBytes(token)),
    );
    this.addedWords = words.length === 0 ? undefined : new AddedTokens(words);
    this.allAdded = new AddedTokens(model.added);
    const idOf = new Map(model.tokens.map((token, id) => [token, id]));
    const idOfByte = Uint32Array.from(
      byteToChar,
      (char) =>
        idOf.get(char) ??
        fail(
          'unsupported-tokenizer',
          `The vocabulary has no token for the byte character "${char}".`,
          'Use a byte-level BPE vocabulary like that of GPT-2 or RoBERTa.',
        ),
    );
    this.merger = new WordMerger(idOfByte, model);
  }

  get vocabSize(): number {
    return this.model.tokens.length;
  }

  /** Ids of a text; no special token is added. */
  encode(text: string): Uint32Array {
    return this.addedWords === undefined ? this.encodePiece(text) : this.encodePieces(this.addedWords.split(text));
  }

  /**
   * Ids of a text in which special tokens may be written out, as Hugging Face takes it: `Paris is <mask>.` has one
   * mask. White space before `<mask>` goes with it. Not for corpora, where `</s>` on a page would end a sequence.
   */
  encodeWithSpecialTokens(text: string): Uint32Array {
    return this.encodePieces(this.allAdded.split(text));
  }

  /** The end of each token that {@link encode} produces for a text, in bytes from the beginning of the text. */
  byteEnds(text: string, ids: ArrayLike<number>): Int32Array {
    const ends = new Int32Array(ids.length);
    let token = 0;
    let start = 0;
    for (const piece of this.addedWords?.split(text) ?? [{ text }]) {
      const end = start + Buffer.byteLength(piece.text);
      if (piece.token === undefined) {
        let at = this.addsPrefixSpace(piece.text) ? start - 1 : start;
        while (at < end && token < ids.length) ends[token] = at += this.bytes[ids[token++]!]?.length ?? 0;
      } else {
        ends[token++] = end;
      }
      start = end;
    }
    return ends;
  }

  /** Text of ids; special tokens are omitted, and bytes that are not UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>): string {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++) {
      const bytes = this.bytes[ids[i]!];
      if (bytes) parts.push(bytes);
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(parts));
  }

  private encodePieces(pieces: readonly Piece[]): Uint32Array {
    const ids: number[] = [];
    for (const { text, token } of pieces) {
      if (token !== undefined) ids.push(token.id);
      else for (const id of this.encodePiece(text)) ids.push(id);
    }
    return Uint32Array.from(ids);
  }

  /** Ids of a text, without looking for added tokens. */
  private encodePiece(text: string): Uint32Array {
    const { cache } = this;
    const full = this.addsPrefixSpace(text) ? ` ${text}` : text;
    let length = 0;
    for (let start = 0, end; start < full.length; start = end) {
      end = pretokenEnd(full, start);
      const word = full.slice(start, end);
      let ids = cache.get(word);
      if (!ids) {
        ids = this.merger.merge(word);
        if (word.length <= cachedWordLength) {
          if (cache.size >= cacheSize) cache.clear();
          cache.set(detach(word), ids);
        }
      }
      if (length + ids.length > this.ids.length) this.grow(length, length + ids.length);
      for (let i = 0; i < ids.length; i++) this.ids[length++] = ids[i]!;
    }
    return this.ids.slice(0, length);
  }

  /** Whether the ids of this text begin with a space that is not in it; never the case for RoBERTa. */
  private addsPrefixSpace(text: string): boolean {
    return this.model.addPrefixSpace && text !== '' && !text.startsWith(' ');
  }

  private grow(used: number, needed: number): void {
    const grown = new Uint32Array(Math.max(needed, this.ids.length * 2));
    grown.set(this.ids.subarray(0, used));
    this.ids = grown;
  }
}
