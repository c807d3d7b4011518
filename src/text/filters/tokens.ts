import {
  anyLetter,
  anyWord,
  digit,
  han,
  kindAt,
  letter,
  lowLine,
  mark,
  unspaced,
  white,
  widthAt,
} from './characters.ts';
import { segment } from './segment.ts';

/**
 * The words and marks of a text, as positions in it: numbers, not strings. Spaced scripts are split almost as spaCy
 * splits English: at white space, numbers and abbreviations whole, hyphenated words and contractions apart, each mark
 * by itself; others by {@link segment}.
 * @example [...Array(tokens.count).keys()].map((index) => tokens.at(index)) // "The dog's tail" has 'The', 'dog', "'s",
 * 'tail'
 */
export class Tokens {
  readonly text: string;
  /** Words and marks. */
  count = 0;
  /** Those with a letter, mark or digit; their code units together. */
  words = 0;
  wordCharacters = 0;
  /** Those with a letter. */
  alphabetic = 0;
  /** The beginning, end and hash of token n; the arrays extend beyond `count`. */
  starts: Uint32Array;
  ends: Uint32Array;
  hashes: Int32Array;

  /** @param mostWords stop after this many words */
  constructor(text: string, mostWords = Infinity) {
    this.text = text;
    const size = mostWords === Infinity ? (text.length >> 2) + 16 : 16;
    this.starts = new Uint32Array(size);
    this.ends = new Uint32Array(size);
    this.hashes = new Int32Array(size);
    for (let at = 0; at < text.length && this.words < mostWords;) {
      const kind = kindAt(text, at);
      if (kind & white) at++;
      else if (kind & unspaced) at = this.addRun(at, mostWords);
      else at = this.addPlainWord(at, kind) || this.add(at, endOfToken(text, at, kind));
    }
  }

  at(index: number): string {
    return this.text.slice(this.starts[index], this.ends[index]);
  }

  private addRun(start: number, mostWords: number): number {
    const { text } = this;
    let end = start,
      all = han;
    for (let kind = kindAt(text, end); kind & unspaced; kind = end < text.length ? kindAt(text, end) : 0) {
      all &= kind;
      end++;
    }
    let at = start;
    for (const word of segment(text.slice(start, end), all !== 0)) {
      this.add(at, at + word.length);
      at += word.length;
      if (this.words >= mostWords) break;
    }
    return end;
  }

  /** Most tokens are letters up to a space or a comma, and are read once; 0 when that does not decide it. */
  private addPlainWord(start: number, kind: number): number {
    const { text } = this;
    const first = text.charCodeAt(start);
    if ((kind & letter) === 0 || ((first === h || first === w) && isAddressBehind(text.charCodeAt(start + 1))))
      return 0;
    let end = start,
      hash = 0;
    for (; end < text.length && (kindAt(text, end) & wordKinds) !== 0; end++)
      hash = hashWith(hash, text.charCodeAt(end));
    const next = text.charCodeAt(end);
    return next === stop || next === atSign ? 0 : this.push(start, end, hash, kind);
  }

  private add(start: number, end: number): number {
    const { text } = this;
    let kinds = 0,
      hash = 0;
    for (let at = start; at < end; at++) {
      kinds |= kindAt(text, at);
      hash = hashWith(hash, text.charCodeAt(at));
    }
    return this.push(start, end, hash, kinds);
  }

  private push(start: number, end: number, hash: number, kinds: number): number {
    if (this.count === this.starts.length) this.grow();
    this.starts[this.count] = start;
    this.ends[this.count] = end;
    this.hashes[this.count] = hash;
    this.count++;
    if (kinds & anyWord) {
      this.words++;
      this.wordCharacters += end - start;
    }
    if (kinds & anyLetter) this.alphabetic++;
    return end;
  }

  private grow(): void {
    const { starts, ends, hashes } = this;
    const size = starts.length * 2;
    this.starts = new Uint32Array(size);
    this.starts.set(starts);
    this.ends = new Uint32Array(size);
    this.ends.set(ends);
    this.hashes = new Int32Array(size);
    this.hashes.set(hashes);
  }
}

const wordKinds = letter | mark | digit | lowLine;
const abbreviations = new Set([
  'Mr',
  'Mrs',
  'Ms',
  'Dr',
  'St',
  'Prof',
  'Jr',
  'Sr',
  'Inc',
  'Co',
  'Corp',
  'Ltd',
  'vs',
  'etc',
]);
const [h, w, stop, comma, colon, hyphen, atSign, apostrophe, quote] = Array.from("hw.,:-@'’", (char) =>
  char.charCodeAt(0),
) as [number, number, number, number, number, number, number, number, number];

const hashWith = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193);

/** For a word with `h` or `w`: whether what follows may make it `http` or `www`. */
const isAddressBehind = (unit: number): boolean => unit === 0x74 || unit === w;

/** The end of the token that begins at a position with a character of a spaced script that is not white space. */
function endOfToken(text: string, start: number, kind: number): number {
  if (kind & digit) return endOfNumber(text, start);
  if (kind & wordKinds) return endOfWord(text, start, kind);
  const unit = text.charCodeAt(start);
  if (unit === apostrophe || unit === quote) return endOfContraction(text, start);
  let end = start + widthAt(text, start);
  if (unit === stop || unit === hyphen) while (text.charCodeAt(end) === unit) end++;
  return end;
}

/** `1,234.50`, `20th`, `12:30`. */
function endOfNumber(text: string, start: number): number {
  let end = endOfKind(text, start, letter | digit);
  for (
    let unit = text.charCodeAt(end);
    (unit === stop || unit === comma || unit === colon) && isKind(text, end + 1, digit);
    unit = text.charCodeAt(end)
  )
    end = endOfKind(text, end + 1, digit);
  return end;
}

/** An address on the web, `Dr.`, `U.S.`, or letters, marks, digits and `_` with `.` and `@` inside. */
function endOfWord(text: string, start: number, kind: number): number {
  const unit = text.charCodeAt(start);
  if (unit === h || unit === w) {
    const address =
      unit === w
        ? startsWith(text, start, 'www.')
        : startsWith(text, start, 'http://') || startsWith(text, start, 'https://');
    if (address > 0 && endOfAddress(text, address) > address) return endOfAddress(text, address);
  }
  let end = endOfKind(text, start, wordKinds);
  let next = text.charCodeAt(end);
  if (next === stop) {
    if (end - start <= 4 && !isAsciiWord(text.charCodeAt(start - 1)) && abbreviations.has(text.slice(start, end)))
      return end + 1;
    if (
      kind & letter &&
      end === start + widthAt(text, start) &&
      !(start > 0 && isKind(text, start - 1, letter | digit))
    )
      return endOfInitials(text, start);
  }
  for (
    ;
    (next === stop || next === atSign) && isKind(text, end + 1, letter | digit | lowLine);
    next = text.charCodeAt(end)
  )
    end = endOfKind(text, end + 1, letter | digit | lowLine);
  return end;
}

function endOfInitials(text: string, start: number): number {
  let end = start;
  while (isKind(text, end, letter) && text.charCodeAt(end + widthAt(text, end)) === stop) end += widthAt(text, end) + 1;
  return end;
}

/** `'s`, `'ll`; an apostrophe by itself before anything longer. */
function endOfContraction(text: string, start: number): number {
  let end = start + 1;
  for (let letters = 0; letters < 2 && isKind(text, end, letter); letters++) end += widthAt(text, end);
  return isKind(text, end, letter | digit) ? start + 1 : end;
}

/** The end of the address whose beginning ends at `start`. */
function endOfAddress(text: string, start: number): number {
  let end = start;
  while (end < text.length && (kindAt(text, end) & (white | unspaced)) === 0) end++;
  return end;
}

function endOfKind(text: string, start: number, kinds: number): number {
  let end = start;
  while (isKind(text, end, kinds)) end++;
  return end;
}

function isKind(text: string, at: number, kinds: number): boolean {
  return at < text.length && (kindAt(text, at) & kinds) !== 0;
}

/** The position after a beginning, if the text has it there; 0 otherwise. */
function startsWith(text: string, start: number, beginning: string): number {
  return text.startsWith(beginning, start) ? start + beginning.length : 0;
}

/** What `\b` considers a character of a word; ASCII only. */
function isAsciiWord(unit: number): boolean {
  return (unit >= 48 && unit <= 57) || (unit >= 65 && unit <= 90) || unit === 95 || (unit >= 97 && unit <= 122);
}
