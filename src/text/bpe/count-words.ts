import { detach, pretokenEnd } from './pretokenize.ts';

/**
 * Maximum number of distinct words in memory: about 100 bytes each, and about 350 more while merges are learned, so 1
 * GiB in total. A corpus with more words has gigabytes, and the words that are forgotten occur only a few times: too
 * rarely to become a token.
 */
const maxWords = 2_000_000;

/** Counts of pre-tokens over a corpus of any size: when there are too many, the rarest are forgotten. */
export class WordCounter {
  readonly counts = new Map<string, number>();
  private rarest = 1;
  private readonly limit: number;

  constructor(limit = maxWords) {
    this.limit = limit;
  }

  addText(text: string): void {
    const { counts } = this;
    for (let start = 0, end; start < text.length; start = end) {
      end = pretokenEnd(text, start);
      const word = text.slice(start, end);
      const count = counts.get(word);
      if (count === undefined) counts.set(detach(word), 1);
      else counts.set(word, count + 1);
    }
    this.forget();
  }

  /** @param word not a slice of a longer string, which would stay in memory with it */
  addWord(word: string, count: number): void {
    this.counts.set(word, (this.counts.get(word) ?? 0) + count);
    this.forget();
  }

  private forget(): void {
    while (this.counts.size > this.limit) {
      for (const [word, count] of this.counts) if (count <= this.rarest) this.counts.delete(word);
      this.rarest++;
    }
  }
}
