import type { AddedToken } from './model.ts';

/** A piece of a text: an added token with the white space that it takes in, or the text between added tokens. */
export interface Piece {
  readonly text: string;
  readonly token?: AddedToken;
}

/**
 * Finds added tokens in texts as Hugging Face's `tokenizers` does: the longest first, from left to right, and those
 * that are not `normalized` before the others.
 */
export class AddedTokens {
  private readonly passes: readonly Index[];

  constructor(tokens: readonly AddedToken[]) {
    this.passes = [false, true]
      .map((normalized) => tokens.filter((token) => token.normalized === normalized && token.content !== ''))
      .filter((some) => some.length > 0)
      .map((some) => new Index(some));
  }

  /** The pieces of a text; joined, they are the text. */
  split(text: string): readonly Piece[] {
    let pieces: readonly Piece[] = text === '' ? [] : [{ text }];
    for (const index of this.passes)
      pieces = pieces.flatMap((piece) => (piece.token === undefined ? splitBy(index, piece.text) : piece));
    return pieces;
  }
}

function splitBy(index: Index, text: string): Piece[] {
  const pieces: Piece[] = [];
  let done = 0;
  for (let at = 0; at < text.length;) {
    const token = index.longestAt(text, at);
    if (token === undefined) {
      at++;
      continue;
    }
    const end = at + token.content.length;
    if (!token.single_word || !(isWordBefore(text, at) || isWordAt(text, end))) {
      const from = Math.max(done, token.lstrip ? spaceBefore(text, at) : at);
      const to = token.rstrip ? spaceAfter(text, end) : end;
      if (from > done) pieces.push({ text: text.slice(done, from) });
      pieces.push({ text: text.slice(from, to), token });
      done = to;
    }
    at = end;
  }
  if (done < text.length) pieces.push({ text: text.slice(done) });
  return pieces;
}

/** Tokens by their first character: most characters of a text begin none. */
class Index {
  private readonly begins = new Uint8Array(0x10000);
  private readonly byFirst = new Map<number, AddedToken[]>();

  constructor(tokens: readonly AddedToken[]) {
    for (const token of tokens.toSorted((a, b) => b.content.length - a.content.length)) {
      const first = token.content.charCodeAt(0);
      this.begins[first] = 1;
      this.byFirst.set(first, [...(this.byFirst.get(first) ?? []), token]);
    }
  }

  longestAt(text: string, at: number): AddedToken | undefined {
    const first = text.charCodeAt(at);
    if (this.begins[first] === 0) return undefined;
    return this.byFirst.get(first)?.find(({ content }) => text.startsWith(content, at));
  }
}

/** What a regular expression of Rust takes for `\w`. */
const word = /^[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]/u;

function isWordAt(text: string, at: number): boolean {
  return at < text.length && word.test(String.fromCodePoint(text.codePointAt(at)!));
}

function isWordBefore(text: string, at: number): boolean {
  const isPair = at >= 2 && text.codePointAt(at - 2)! > 0xffff;
  return at > 0 && isWordAt(text, isPair ? at - 2 : at - 1);
}

// Not regular expressions, which would try a long run of spaces from each of its characters.
function spaceBefore(text: string, at: number): number {
  while (at > 0 && isSpace(text[at - 1]!)) at--;
  return at;
}

function spaceAfter(text: string, at: number): number {
  while (at < text.length && isSpace(text[at]!)) at++;
  return at;
}

function isSpace(char: string): boolean {
  return /^\p{White_Space}/u.test(char);
}
