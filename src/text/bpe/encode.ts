import { fail } from '../../core/diagnostic.ts';
import { byteToChar, spellingToBytes } from './bytes.ts';
import { WordMerger } from './merge-word.ts';
import type { BpeModel } from './model.ts';
import { detach, pretokenEnd } from './pretokenize.ts';

const cachedWordLength = 48;
const cacheSize = 1 << 18;

/**
 * Turns text into token ids and back. Words are cached, so running text costs a map look-up per word; a word of any
 * length takes n log n. Special tokens written out in a text (`<s>`) are text, as everything in a corpus is.
 * @example
 * const tokenizer = new Tokenizer(loadTokenizer('outputs/pretrain/tokenizer'));
 * tokenizer.encode('Hello world'); // without <s> and </s>
 */
export class Tokenizer {
  readonly model: BpeModel;
  /** Bytes of text that each id stands for; 0 for special tokens. */
  readonly byteLengths: Uint32Array;
  private readonly merger: WordMerger;
  private readonly bytes: readonly (Uint8Array | undefined)[];
  private readonly cache = new Map<string, readonly number[]>();
  private readonly specialPattern: RegExp;
  private ids = new Uint32Array(1 << 12);

  constructor(model: BpeModel) {
    this.model = model;
    const special = new Set(model.specialIds);
    this.bytes = model.tokens.map((token, id) => (special.has(id) ? undefined : spellingToBytes(token)));
    this.byteLengths = Uint32Array.from(this.bytes, (bytes) => bytes?.length ?? 0);
    this.specialPattern = specialPattern(model);
    const idOf = new Map(model.tokens.map((token, id) => [token, id]));
    const idOfByte = Uint32Array.from(
      byteToChar,
      (char) =>
        idOf.get(char) ??
        fail(
          'unsupported-tokenizer',
          `The vocabulary has no token for the byte character "${char}".`,
          'Use a byte-level BPE vocabulary, as GPT-2 and RoBERTa have.',
        ),
    );
    this.merger = new WordMerger(idOfByte, model);
  }

  get vocabSize(): number {
    return this.model.tokens.length;
  }

  /** Ids of a text; no special token is added. */
  encode(text: string): Uint32Array {
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

  /**
   * Ids of a text in which special tokens may be written out, as Hugging Face takes it: `Paris is <mask>.` has one
   * mask.
   * White space before `<mask>` goes with it. Not for corpora, where `</s>` on a page would end a sequence.
   */
  encodeWithSpecialTokens(text: string): Uint32Array {
    const ids: number[] = [];
    const parts = text.split(this.specialPattern);
    const { tokens, special } = this.model;
    parts.forEach((part, i) => {
      if (i % 2 === 1) ids.push(this.specialId(part));
      else for (const id of this.encode(parts[i + 1] === tokens[special.mask] ? trimEnd(part) : part)) ids.push(id);
    });
    return Uint32Array.from(ids);
  }

  /** Whether the ids of this text begin with a space that is not in it; never so for RoBERTa. */
  addsPrefixSpace(text: string): boolean {
    return this.model.addPrefixSpace && text !== '' && !/^\p{White_Space}/u.test(text);
  }

  /** Text of ids; special tokens are left out, and bytes that are not UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>): string {
    const parts: Uint8Array[] = [];
    for (let i = 0; i < ids.length; i++) {
      const bytes = this.bytes[ids[i]!];
      if (bytes) parts.push(bytes);
    }
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.concat(parts));
  }

  private specialId(text: string): number {
    return this.model.specialIds.find((id) => this.model.tokens[id] === text)!;
  }

  private grow(used: number, needed: number): void {
    const grown = new Uint32Array(Math.max(needed, this.ids.length * 2));
    grown.set(this.ids.subarray(0, used));
    this.ids = grown;
  }
}

/** Matches a special token, as one group so that `split` keeps it. */
function specialPattern({ specialIds, tokens }: BpeModel): RegExp {
  return new RegExp(`(${specialIds.map((id) => tokens[id]!.replace(/[$()*+.?[\\\]^{|}]/g, '\\$&')).join('|')})`, 'u');
}

/** Not a pattern, which would try a long run of spaces from each of them on. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && /\p{White_Space}/u.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}
