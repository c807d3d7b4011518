// Classes of characters for the quality rules, as bits that are looked up rather than tested with a regular expression
// each time.
export const letter = 1,
  mark = 2,
  digit = 4,
  lowLine = 8;
export const white = 16;
/**
 * Of a script without spaces between words. Such a character has none of the bits above, because no word of a spaced
 * script continues across it.
 */
export const unspaced = 32;
export const han = 64;
/** A letter of any script; a letter, mark or digit of any. */
export const anyLetter = 128,
  anyWord = 256;
const known = 512;

const unspacedScript =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]/u;

/** By code point; 0 if it has not been needed yet. */
const kinds = new Uint16Array(0x110000);

/** The bits of the character that the code unit at a position belongs to, even if it is half of one. */
export function kindAt(text: string, at: number): number {
  const unit = text.charCodeAt(at);
  if ((unit & 0xf800) !== 0xd800) return kinds[unit] || classify(unit);
  const point = text.codePointAt(
    unit >= 0xdc00 && at > 0 && (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 ? at - 1 : at,
  )!;
  return kinds[point] || classify(point);
}

/** Number of code units of the character at a position. */
export function widthAt(text: string, at: number): number {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00 ? 2 : 1;
}

function classify(point: number): number {
  const char = String.fromCodePoint(point);
  let kind = known;
  const isLetter = /\p{L}/u.test(char),
    isMark = /\p{M}/u.test(char),
    isDigit = /\p{N}/u.test(char);
  if (isLetter) kind |= anyLetter;
  if (isLetter || isMark || isDigit) kind |= anyWord;
  if (/\s/u.test(char)) kind |= white;
  if (/\p{Script=Han}/u.test(char)) kind |= han;
  if (unspacedScript.test(char)) kind |= unspaced;
  else kind |= (isLetter ? letter : 0) | (isMark ? mark : 0) | (isDigit ? digit : 0) | (char === '_' ? lowLine : 0);
  return (kinds[point] = kind);
}
