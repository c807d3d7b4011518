import { fail } from '../core/diagnostic.ts';

/** Maximum compressed bytes of a block: 900,000 symbols of 20 bits and its tables. */
const MAX_BLOCK_BYTES = 2_400_000;
const BLOCK_MAGIC = 0x314159265359;
const END_MAGIC = 0x177245385090;
const FAST_BITS = 10;

/**
 * Decode bzip2, one or many streams after another (as `pbzip2` and Wikipedia's multistream dumps write them), one block
 * in memory at a time. Every block's CRC is checked; truncated or damaged data throws a Failure with code
 * `corrupt-bzip2`.
 * Format: https://github.com/dsnet/compress/blob/master/doc/bzip2-format.pdf
 */
export async function* bunzip2(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  const input = new Window(chunks);
  const decoder = new BlockDecoder(name);
  let level = 0;
  let streamCrc = 0;
  let bytesOut = 0;
  const corrupt = (what: string): never =>
    fail(
      'corrupt-bzip2',
      `${name}: ${what} after ${bytesOut} decompressed bytes`,
      'Download the file again, or check it with `bzip2 -t`.',
    );

  for (;;) {
    await input.fill(MAX_BLOCK_BYTES);
    const bits = new Bits(input.bytes, input.bitOffset);
    try {
      if (level === 0) {
        if (input.atEnd(bits.byte)) return;
        if (bits.read(24) !== 0x425a68) corrupt('bytes that are not bzip2');
        level = bits.read(8) - 0x30;
        if (level < 1 || level > 9) corrupt('a bad bzip2 header');
        streamCrc = 0;
      }
      const magic = bits.read(24) * 0x1000000 + bits.read(24);
      if (magic === END_MAGIC) {
        if (bits.read32() !== streamCrc >>> 0) corrupt('a stream checksum that does not match');
        bits.alignToByte();
        level = 0;
      } else if (magic === BLOCK_MAGIC) {
        const expected = bits.read32();
        const parts = [...decoder.decode(bits, level * 100_000)];
        // Only now, because otherwise readers would process damaged text.
        if (decoder.crc !== expected) corrupt('a block checksum that does not match');
        for (const part of parts) {
          bytesOut += part.length;
          yield part;
        }
        streamCrc = ((streamCrc << 1) | (streamCrc >>> 31)) ^ expected;
      } else corrupt('a damaged block header');
    } catch (error) {
      if (error instanceof Underrun) corrupt(input.ended ? 'the file is truncated' : 'a damaged block');
      if (error instanceof Damage) corrupt(error.message);
      throw error;
    }
    input.bitOffset = bits.position;
  }
}

class Underrun extends Error {}
class Damage extends Error {}

/** The unread part of the input. */
class Window {
  bytes: Uint8Array = new Uint8Array(0);
  bitOffset = 0;
  ended = false;
  readonly #source: AsyncIterator<Uint8Array>;
  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  /** Make at least `wanted` unread bytes available, or all that remain. */
  async fill(wanted: number): Promise<void> {
    const start = this.bitOffset >>> 3;
    if (this.ended || this.bytes.length - start >= wanted) return;
    const parts = [this.bytes.subarray(start)];
    let size = parts[0]?.length ?? 0;
    while (size < wanted * 2) {
      const next = await this.#source.next();
      if (next.done === true) {
        this.ended = true;
        break;
      }
      parts.push(next.value);
      size += next.value.length;
    }
    this.bytes = Buffer.concat(parts, size);
    this.bitOffset &= 7;
  }

  /** Whether nothing but zero padding is left from `byte` on. */
  atEnd(byte: number): boolean {
    return this.ended && (byte >= this.bytes.length || this.bytes.subarray(byte).every((value) => value === 0));
  }
}

/** Big-endian bits of a byte array. */
class Bits {
  byte: number;
  #held = 0;
  #count = 0;
  readonly #bytes: Uint8Array;
  constructor(bytes: Uint8Array, bitOffset: number) {
    this.#bytes = bytes;
    this.byte = bitOffset >>> 3;
    if ((bitOffset & 7) !== 0) this.read(bitOffset & 7);
  }

  get position(): number {
    return this.byte * 8 - this.#count;
  }

  /** Up to 24 bits. */
  read(n: number): number {
    const value = this.peek(n);
    this.#count -= n;
    if (this.#count < 0) throw new Underrun();
    return value;
  }

  read32(): number {
    return this.read(16) * 0x10000 + this.read(16);
  }

  /** The next bits without consuming them; zeros beyond the end. */
  peek(n: number): number {
    while (this.#count < n) {
      if (this.byte >= this.#bytes.length) return ((this.#held & ((1 << this.#count) - 1)) << (n - this.#count)) >>> 0;
      this.#held = ((this.#held << 8) | (this.#bytes[this.byte++] as number)) >>> 0;
      this.#count += 8;
    }
    return (this.#held >>> (this.#count - n)) & ((1 << n) - 1);
  }

  skip(n: number): void {
    this.#count -= n;
    if (this.#count < 0) throw new Underrun();
  }

  alignToByte(): void {
    this.#count -= this.#count & 7;
  }
}

class BlockDecoder {
  crc = 0;
  readonly #next = new Uint32Array(900_000);
  readonly #name: string;
  constructor(name: string) {
    this.#name = name;
  }

  *decode(bits: Bits, capacity: number): Generator<Uint8Array> {
    if (bits.read(1) === 1)
      fail(
        'unsupported-bzip2',
        `${this.#name}: written by bzip2 0.9.0 or older (randomised blocks)`,
        'Recompress it with a current bzip2.',
      );
    const origin = bits.read(24);
    const length = this.#readSymbols(bits, capacity);
    if (origin >= length) throw new Damage('a damaged block');
    this.#linkRotations(length);
    yield* this.#walk(origin, length);
  }

  /** Huffman, run-length 2 and move-to-front: fills `#next` with the last column and returns its length. */
  #readSymbols(bits: Bits, capacity: number): number {
    const alphabet = readAlphabet(bits);
    const codes = alphabet.length + 2;
    const tables = bits.read(3);
    const selectorCount = bits.read(15);
    if (tables < 2 || tables > 6 || selectorCount === 0 || alphabet.length === 0) throw new Damage('a damaged block');
    const selectors = readSelectors(bits, selectorCount, tables);
    const trees = Array.from({ length: tables }, () => readTree(bits, codes));

    const next = this.#next;
    const end = codes - 1;
    let filled = 0;
    let run = 0;
    let runUnit = 1;
    for (const selector of selectors) {
      const tree = trees[selector] as Tree;
      for (let i = 0; i < 50; i++) {
        const symbol = tree.read(bits);
        if (symbol <= 1) {
          run += runUnit << symbol;
          runUnit <<= 1;
          if (run > capacity) throw new Damage('a damaged block');
          continue;
        }
        if (run > 0) {
          if (filled + run > capacity) throw new Damage('a damaged block');
          next.fill(alphabet[0] as number, filled, filled + run);
          filled += run;
          run = 0;
          runUnit = 1;
        }
        if (symbol === end) return filled;
        if (filled >= capacity) throw new Damage('a damaged block');
        const value = alphabet[symbol - 1] as number;
        alphabet.copyWithin(1, 0, symbol - 1);
        alphabet[0] = value;
        next[filled++] = value;
      }
    }
    throw new Damage('a damaged block');
  }

  /** Inverse Burrows-Wheeler: the low byte of `#next[i]` stays the symbol, the upper 24 bits become its successor. */
  #linkRotations(length: number): void {
    const next = this.#next;
    const start = new Uint32Array(257);
    for (let i = 0; i < length; i++) start[((next[i] as number) & 255) + 1]!++;
    for (let i = 1; i < 257; i++) start[i]! += start[i - 1] as number;
    for (let i = 0; i < length; i++) {
      const at = start[(next[i] as number) & 255]!++;
      next[at] = ((next[at] as number) | (i << 8)) >>> 0;
    }
  }

  /** Run-length 1 (four equal bytes, then a count) and the CRC, in pieces of 256 KiB. */
  *#walk(origin: number, length: number): Generator<Uint8Array> {
    const next = this.#next;
    const size = 1 << 18;
    let out = new Uint8Array(size);
    let used = 0;
    let crc = 0xffffffff;
    let at = (next[origin] as number) >>> 8;
    let previous = -1;
    let repeats = 0;
    for (let i = 0; i < length; i++) {
      const entry = next[at] as number;
      const value = entry & 255;
      at = entry >>> 8;
      if (used > size - 256) {
        yield out.subarray(0, used);
        out = new Uint8Array(size);
        used = 0;
      }
      if (repeats === 4) {
        for (let n = 0; n < value; n++) {
          out[used++] = previous;
          crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ previous] as number);
        }
        repeats = 0;
        previous = -1;
        continue;
      }
      repeats = value === previous ? repeats + 1 : 1;
      previous = value;
      out[used++] = value;
      crc = (crc << 8) ^ (CRC_TABLE[(crc >>> 24) ^ value] as number);
    }
    this.crc = ~crc >>> 0;
    if (used > 0) yield out.subarray(0, used);
  }
}

/** The byte values that occur in a block, ascending: 16 groups of 16 flags. */
function readAlphabet(bits: Bits): Uint8Array {
  const groups = bits.read(16);
  const used: number[] = [];
  for (let group = 0; group < 16; group++) {
    if ((groups & (0x8000 >>> group)) === 0) continue;
    const flags = bits.read(16);
    for (let i = 0; i < 16; i++) if ((flags & (0x8000 >>> i)) !== 0) used.push(group * 16 + i);
  }
  return Uint8Array.from(used);
}

/** Which Huffman table each group of 50 symbols uses, move-to-front coded in unary. */
function readSelectors(bits: Bits, count: number, tables: number): Uint8Array {
  const order = Uint8Array.from({ length: tables }, (_, i) => i);
  const selectors = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    let rank = 0;
    while (bits.read(1) === 1) if (++rank >= tables) throw new Damage('a damaged block');
    const table = order[rank] as number;
    order.copyWithin(1, 0, rank);
    order[0] = table;
    selectors[i] = table;
  }
  return selectors;
}

function readTree(bits: Bits, codes: number): Tree {
  const lengths = new Uint8Array(codes);
  let length = bits.read(5);
  for (let code = 0; code < codes; code++) {
    for (;;) {
      if (length < 1 || length > 20) throw new Damage('a damaged block');
      if (bits.read(1) === 0) break;
      length += bits.read(1) === 0 ? 1 : -1;
    }
    lengths[code] = length;
  }
  return new Tree(lengths);
}

/** Canonical Huffman codes: a table for codes up to 10 bits, limits per length beyond. */
class Tree {
  /** symbol * 32 + length, or 0 for longer codes. */
  readonly #fast = new Uint16Array(1 << FAST_BITS);
  readonly #limits = new Int32Array(22);
  readonly #offsets = new Int32Array(22);
  readonly #symbols: Uint16Array;

  constructor(lengths: Uint8Array) {
    this.#symbols = new Uint16Array(lengths.length);
    let code = 0;
    let placed = 0;
    for (let length = 1; length <= 20; length++) {
      this.#offsets[length] = placed - code;
      for (let symbol = 0; symbol < lengths.length; symbol++) {
        if (lengths[symbol] !== length) continue;
        this.#symbols[placed++] = symbol;
        if (length <= FAST_BITS) {
          const shift = FAST_BITS - length;
          this.#fast.fill(symbol * 32 + length, code << shift, (code + 1) << shift);
        }
        code++;
      }
      this.#limits[length] = code;
      code <<= 1;
    }
  }

  read(bits: Bits): number {
    const hit = this.#fast[bits.peek(FAST_BITS)] as number;
    if (hit !== 0) {
      bits.skip(hit & 31);
      return hit >>> 5;
    }
    for (let length = FAST_BITS + 1; length <= 20; length++) {
      const code = bits.peek(length);
      if (code < (this.#limits[length] as number)) {
        bits.skip(length);
        const symbol = this.#symbols[code + (this.#offsets[length] as number)];
        if (symbol === undefined) break;
        return symbol;
      }
    }
    throw new Damage('a damaged block');
  }
}

/** CRC-32, most significant bit first, polynomial 0x04c11db7. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte << 24;
  for (let bit = 0; bit < 8; bit++) crc = crc & 0x80000000 ? (crc << 1) ^ 0x04c11db7 : crc << 1;
  return crc;
});
