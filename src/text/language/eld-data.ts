import { readFile } from 'node:fs/promises';

/** ELD's model as its package has it. */
export interface EldData {
  /** ISO 639-1 codes, by the number that n-grams go by. */
  readonly languages: readonly string[];
  /**
   * What stands for each byte of UTF-8 in n-grams, as code units below 256; a space for bytes of scripts it does not
   * know.
   */
  readonly symbols: Uint8Array;
  /** Mean score of each language in texts that ELD knows rightly, 0 to 1. */
  readonly usualScores: Float64Array;
}

/**
 * Takes the first `length` symbols of an n-gram, and the languages it occurs in: `count` pairs, language in the lower
 * byte, score in the upper. Both arrays are used again.
 */
export type TakeNGram = (symbols: Uint8Array, length: number, pairs: Uint16Array, count: number) => void;

/**
 * Read ELD's large model out of the package `eld`, whose version `package.json` pins: n-grams are shown to `take` one
 * after the other. The package
 * offers the model only as a module, an object of 245,000 objects that takes 400 MB and a second and is never freed, so
 * the module's file, 4.5 MB, is read as text here. Throws when it does not look as it does in 2.1.0.
 */
export async function readEld(take: TakeNGram): Promise<EldData> {
  const folder = new URL('../', import.meta.resolve('eld/large'));
  const [{ dictionary }, { avgScore }, file] = await Promise.all([
    import(new URL('dictionary.js', folder).href) as Promise<{ dictionary: readonly string[] }>,
    import(new URL('avgScore.js', folder).href) as Promise<{ avgScore: Readonly<Record<string, number>> }>,
    readFile(new URL('ngrams/large.js', folder), 'utf8'),
  ]);
  const head = /ngramsData = \{type:'L60',languages:\{([^}]*)\},isSubset:false,ngrams:\{/.exec(file);
  const languages = (head?.[1] ?? '')
    .split(',')
    .map((entry, id) => (/^(\d+):'([a-z]{2})'$/.exec(entry)?.[1] === String(id) ? entry.slice(-3, -1) : ''));
  if (head === null || languages.includes('')) throw unknownForm(0);
  readNGrams(file, head.index + head[0].length, take);
  return {
    languages,
    symbols: Uint8Array.from(dictionary, (symbol) => symbol.charCodeAt(0)),
    usualScores: Float64Array.from(languages, (language) => avgScore[language] ?? 0),
  };
}

/**
 * The entries of an object literal of JavaScript, `'n-gram':{language:score,…},…`, to its end; keys are quoted where
 * they need it.
 */
function readNGrams(file: string, start: number, take: TakeNGram): void {
  const key = new Uint8Array(16),
    pairs = new Uint16Array(256);
  let at = start;
  const expect = (code: number): void => {
    if (file.charCodeAt(at++) !== code) throw unknownForm(at);
  };
  const number = (): number => {
    let value = 0;
    const from = at;
    for (let digit = file.charCodeAt(at) - 48; digit >= 0 && digit <= 9; digit = file.charCodeAt(++at) - 48)
      value = value * 10 + digit;
    if (at === from) throw unknownForm(at);
    return value;
  };
  for (let mark = comma; mark === comma; mark = file.charCodeAt(at++)) {
    const quote =
      file.charCodeAt(at) === singleQuote || file.charCodeAt(at) === doubleQuote ? file.charCodeAt(at++) : colon;
    let length = 0;
    for (; file.charCodeAt(at) !== quote; at++) {
      if (file.charCodeAt(at) === backslash) at++;
      if (length === key.length || at >= file.length) throw unknownForm(at);
      key[length++] = file.charCodeAt(at);
    }
    if (quote !== colon) at++;
    expect(colon);
    expect(openBrace);
    let count = 0;
    for (let next = comma; next === comma; next = file.charCodeAt(at++)) {
      const language = number();
      expect(colon);
      pairs[count++] = (number() << 8) | language;
    }
    if (file.charCodeAt(at - 1) !== closeBrace) throw unknownForm(at);
    take(key, length, pairs, count);
  }
  if (file.charCodeAt(at - 1) !== closeBrace) throw unknownForm(at);
}

const [comma, colon, openBrace, closeBrace, singleQuote, doubleQuote, backslash] = Array.from(',:{}\'"\\', (mark) =>
  mark.charCodeAt(0),
) as [number, number, number, number, number, number, number];

function unknownForm(at: number): Error {
  return new Error(
    `The language model of the npm package eld is not written as in its version 2.1.0 (character ${at}).`,
  );
}
