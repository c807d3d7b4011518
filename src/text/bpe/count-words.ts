import { detach, pretokenEnd } from './pretokenize.ts';

/** Distinct words kept in memory at most: about 90 bytes each, and some 250 more while merges are learnt. */
const maxWords = 4_000_000;

/** Counts pre-tokens over a corpus of any size: when there are too many, the rarest are forgotten. */
export class WordCounter {
  readonly counts = new Map<string, number>();
  /** UTF-8 bytes seen. */
  bytes = 0;
  private rarest = 1;
  private readonly limit: number;

  constructor(limit = maxWords) {
    this.limit = limit;
  }

  add(text: string): void {
    const { counts } = this;
    this.bytes += Buffer.byteLength(text);
    for (let start = 0, end; start < text.length; start = end) {
      end = pretokenEnd(text, start);
      const word = text.slice(start, end);
      const count = counts.get(word);
      if (count === undefined) counts.set(detach(word), 1);
      else counts.set(word, count + 1);
    }
    while (counts.size > this.limit) {
      for (const [word, count] of counts) if (count <= this.rarest) counts.delete(word);
      this.rarest++;
    }
  }
}
