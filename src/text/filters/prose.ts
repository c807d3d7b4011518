import { Tokens } from './tokens.ts';

/** A document as seen by the quality rules; words are split when a rule first needs them. */
export class Prose {
  readonly text: string;
  /** ISO 639-1 code, or empty. */
  readonly language: string;
  /** Lines that are not blank, trimmed. */
  readonly lines: readonly string[];
  private cut: Tokens | undefined;

  constructor(text: string, language: string) {
    this.text = text;
    this.language = language;
    this.lines = text
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  }

  /** Paragraphs, which blank lines separate. */
  get paragraphs(): readonly string[] {
    return this.text
      .split(/\n\s*\n/u)
      .map((paragraph) => paragraph.trim())
      .filter((paragraph) => paragraph !== '');
  }

  /** Words and the marks between them. */
  get tokens(): Tokens {
    return (this.cut ??= new Tokens(this.text));
  }
}

/**
 * A quality rule: the reason for dropping the document, or `undefined` to keep it. Of the config, it knows only the
 * thresholds.
 */
export type Rule<Thresholds> = (document: Prose, thresholds: Thresholds) => string | undefined;

/** The reason of the first rule that drops the document. */
export function firstReason<Thresholds>(
  rules: readonly Rule<Thresholds>[],
  document: Prose,
  thresholds: Thresholds,
): string | undefined {
  for (const rule of rules) {
    const reason = rule(document, thresholds);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** Fraction of items that pass the test; 0 if there are none. */
export function share<T>(items: readonly T[], test: (item: T) => boolean): number {
  if (items.length === 0) return 0;
  let count = 0;
  for (const item of items) if (test(item)) count++;
  return count / items.length;
}
