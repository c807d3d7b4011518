import { NGramTable } from './ngram-table.ts';

/** ELD's large model: what is in `dist/language-model.bin`, which `npm run build` makes of the npm package `eld`. */
export interface ModelData {
  /** ISO 639-1 codes, by the number that n-grams go by. */
  readonly languages: readonly string[];
  /**
   * The symbol for each byte of UTF-8 in n-grams, as code units below 256; a space for bytes of unsupported scripts.
   */
  readonly symbols: Uint8Array;
  /** Mean score of each language in texts that ELD detects correctly, 0 to 1. */
  readonly usualScores: Float64Array;
  readonly table: NGramTable;
}

/** The parts that are not numbers of 32 or 16 bits. */
interface Header {
  readonly languages: readonly string[];
  readonly symbols: readonly number[];
  readonly usualScores: readonly number[];
  readonly slots: number;
  readonly pairs: number;
}

/**
 * The bytes of a model, little-endian: the header's length, the header as JSON padded with spaces to a multiple of
 * four, the table's slots, its pairs.
 */
export function encodeModel({ languages, symbols, usualScores, table: { slots, pairs } }: ModelData): Uint8Array {
  const header = JSON.stringify({
    languages,
    symbols: [...symbols],
    usualScores: [...usualScores],
    slots: slots.length,
    pairs: pairs.length,
  } satisfies Header);
  const text = Buffer.from(header.padEnd(Math.ceil(header.length / 4) * 4));
  const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    new Uint8Array(buffer, byteOffset, byteLength);
  return Buffer.concat([bytesOf(Uint32Array.of(text.length)), text, bytesOf(slots), bytesOf(pairs)]);
}

/** A model from its bytes. Throws when their number does not match their header. */
export function decodeModel(bytes: Uint8Array): ModelData {
  const buffer = new Uint8Array(bytes).buffer;
  const start = 4 + (new Uint32Array(buffer, 0, 1)[0] ?? 0);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(4, start))) as Header;
  const end = start + 4 * header.slots + 2 * header.pairs;
  if (buffer.byteLength !== end) throw new RangeError(`${buffer.byteLength} bytes instead of ${end}`);
  return {
    languages: header.languages,
    symbols: Uint8Array.from(header.symbols),
    usualScores: Float64Array.from(header.usualScores),
    table: new NGramTable(
      new Uint32Array(buffer, start, header.slots),
      new Uint16Array(buffer, start + 4 * header.slots, header.pairs),
    ),
  };
}
