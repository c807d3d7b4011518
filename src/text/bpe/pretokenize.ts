const letter = 1;
const number = 2;
const space = 3;
const other = 4;

/**
 * Cut text into the pieces that byte-level BPE never merges across (GPT-2, Radford et al. 2019): words and numbers with
 * the space before them, English contractions, punctuation, and runs of white space. Joined, they give the original
 * text. The pieces are the matches of `'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`,
 * with `\s` as Unicode's White_Space.
 */
export function pretokenize(text: string): string[] {
  const pieces: string[] = [];
  for (let start = 0; start < text.length;) {
    const end = pretokenEnd(text, start);
    pieces.push(text.slice(start, end));
    start = end;
  }
  return pieces;
}

/** The end of the piece that begins at `start`. */
export function pretokenEnd(text: string, start: number): number {
  const first = text.charCodeAt(start);
  if (first === 39) {
    const length = contractionLength(text, start);
    if (length > 0) return start + length;
  }
  const kind = classAt(text, start);
  if (kind !== space) return runEnd(text, start, kind);
  const next = start + 1 < text.length ? classAt(text, start + 1) : space;
  if (next !== space) return first === 32 ? runEnd(text, start + 1, next) : start + 1;
  const end = runEnd(text, start, space);
  return end < text.length ? end - 1 : end; // the last space belongs to the word after it
}

/**
 * A copy of a piece that does not keep the whole text in memory, as the engine's slices of 13 characters or more do.
 */
export function detach(piece: string): string {
  return piece.length < 13 ? piece : Buffer.from(piece, 'utf16le').toString('utf16le');
}

function runEnd(text: string, from: number, kind: number): number {
  let at = from;
  while (at < text.length && classAt(text, at) === kind) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

function contractionLength(text: string, start: number): number {
  switch (text[start + 1]) {
    case 's':
    case 'd':
    case 'm':
    case 't':
      return 2;
    case 'l':
      return text[start + 2] === 'l' ? 3 : 0;
    case 'v':
    case 'r':
      return text[start + 2] === 'e' ? 3 : 0;
    default:
      return 0;
  }
}

/** Class of each code unit of the basic plane; 0 if it has not been needed yet. */
const classes = new Uint8Array(0x10000);

function classAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if (unit >= 0xd800 && unit < 0xdc00) return classify(String.fromCodePoint(text.codePointAt(at)!));
  return classes[unit] || (classes[unit] = classify(String.fromCharCode(unit)));
}

function classify(char: string): number {
  if (/^\p{L}/u.test(char)) return letter;
  if (/^\p{N}/u.test(char)) return number;
  // Not `\s`, which includes U+FEFF and excludes U+0085.
  return /^\p{White_Space}/u.test(char) ? space : other;
}
