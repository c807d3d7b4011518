import { Tokens } from './tokens.ts';

/** A document as the quality rules look at it; words are split when a rule first asks. */
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
 * A quality rule: the name under which it drops the document, or `undefined` when it keeps it. Thresholds are all that
 * it knows of the config.
 */
export type Rule<Thresholds> = (document: Prose, thresholds: Thresholds) => string | undefined;

/** What the first rule that objects says. */
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

/** Share of items for which the test holds; 0 of none. */
export function share<T>(items: readonly T[], test: (item: T) => boolean): number {
  if (items.length === 0) return 0;
  let count = 0;
  for (const item of items) if (test(item)) count++;
  return count / items.length;
}
