export const space = 0x20;
const separator = 1;
const dottedCapitalI = 0x130; // two code units when lower-cased
const capitalSigma = 0x3a3;

/**
 * ELD's form of a text before it looks for words, as code units: the letters, lower-cased, with one space for whatever
 * is between them, except apostrophes before a letter or the end, which stay.
 * @param most maximum number of code units of the text to read
 * @param units receives the result: at least twice as many
 * @returns the length of the result
 */
export function plainUnits(text: string, most: number, units: Uint16Array): number {
  let length = 0,
    certain = 0,
    hasSigma = false;
  for (let at = 0, end = Math.min(text.length, most); at < end; at++) {
    const unit = plainOf(text.charCodeAt(at));
    if (unit === separator) {
      length = certain;
      if (length > 0 && units[length - 1] !== space) units[length++] = space;
      certain = length;
      continue;
    }
    units[length++] = unit === dottedCapitalI ? 0x69 : unit;
    if (unit === dottedCapitalI) units[length++] = 0x307;
    hasSigma ||= unit === capitalSigma;
    if (!isApostrophe(unit)) certain = length;
  }
  if (hasSigma) {
    // its lower case depends on what is around it
    const lower = String.fromCharCode(...units.subarray(0, length)).toLowerCase();
    for (let at = 0; at < length; at++) units[at] = lower.charCodeAt(at);
  }
  return length;
}

/** What each code unit becomes: its lower case, itself, or `separator`; 0 if it has not been needed yet. */
const plain = new Uint16Array(0x10000);

function plainOf(unit: number): number {
  return plain[unit] || (plain[unit] = classify(unit));
}

/** Letters of Unicode 16 and 17, which ELD's list of them does not have. */
const newLetters = /[\u088f\u0c5c\u0cdc\u1c89\u1c8a\ua7cb-\ua7cf\ua7d2\ua7d4\ua7da-\ua7dc\ua7f1]/;

function classify(unit: number): number {
  const char = String.fromCharCode(unit);
  if (isApostrophe(unit) || unit === dottedCapitalI || unit === capitalSigma) return unit;
  return /\p{L}/u.test(char) && !newLetters.test(char) ? char.toLowerCase().charCodeAt(0) : separator;
}

/** `'`, `\`` and `’`. */
function isApostrophe(unit: number): boolean {
  return unit === 0x27 || unit === 0x60 || unit === 0x2019;
}
