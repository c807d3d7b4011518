import { analyse } from 'chardet';
import { encodingNamed } from './encoding-name.ts';

/**
 * Decode a text file of unknown encoding: by its byte order mark, else as UTF-8 if all bytes are valid, else by a
 * guess, see {@link guessEncoding}.
 * @example decodeText(new Uint8Array([0xe9])).text // 'é'
 */
export function decodeText(bytes: Uint8Array): { readonly text: string; readonly encoding: string } {
  const marked = byteOrderMark(bytes);
  if (marked !== undefined) return { text: new TextDecoder(marked).decode(bytes), encoding: marked };
  const utf8 = decodeStrictUtf8(bytes);
  if (utf8 !== undefined) return { text: utf8, encoding: 'utf-8' };
  const encoding = guessEncoding(bytes);
  return { text: decodeAs(bytes, encoding), encoding };
}

/**
 * The encoding of text that is not UTF-8: a Chinese, Japanese or Korean one that is likely by the statistics of its
 * bytes and that all of them fit, else windows-1252 (which, as in the WHATWG Encoding Standard, also stands for Latin-1
 * and never fails). Other 8-bit encodings cannot be distinguished reliably enough.
 */
export function guessEncoding(bytes: Uint8Array): string {
  const start = bytes.findIndex((byte) => byte >= 0x80);
  const [likeliest] = start < 0 ? [] : analyse(bytes.subarray(start, start + sampleBytes));
  const encoding =
    likeliest === undefined || likeliest.confidence < leastConfidence ? undefined : encodingNamed(likeliest.name);
  return encoding !== undefined && /^(?:gb|big5|euc|shift_jis|iso-2022)/.test(encoding) && fits(bytes, encoding)
    ? encoding
    : 'windows-1252';
}

const sampleBytes = 64 * 1024;
/** Out of 100; correct guesses have a score of almost 100. */
const leastConfidence = 50;

function fits(bytes: Uint8Array, encoding: string): boolean {
  try {
    new TextDecoder(encoding, { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

/**
 * Decode by an encoding label of the WHATWG Encoding Standard; invalid bytes become U+FFFD. Throws a RangeError for an
 * unknown label. Some releases of Node 20 to 23 take windows-1252 for Latin-1; this corrects their 0x80-0x9F.
 */
export function decodeAs(bytes: Uint8Array, label: string): string {
  const decoder = new TextDecoder(label);
  const text = decoder.decode(bytes);
  return decoder.encoding === 'windows-1252'
    ? text.replace(/[\x80-\x9f]/g, (character) => windows1252[character.charCodeAt(0) - 0x80] ?? character)
    : text;
}

/** The characters of windows-1252 at 0x80 to 0x9F; five positions keep their control character. */
const windows1252 =
  '\u20ac\x81\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\x8d\u017d\x8f' +
  '\x90\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\x9d\u017e\u0178';

/** The encoding that a byte order mark announces; the decoder of that name also removes the mark. */
export function byteOrderMark(bytes: Uint8Array): string | undefined {
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'utf-8';
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le';
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be';
  return undefined;
}

/** The text when the bytes are valid UTF-8, else `undefined`. */
export function decodeStrictUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
