import { closeSync, fstatSync, fsyncSync, openSync } from 'node:fs';
import { fail } from '../core/diagnostic.ts';
import { pieceBytes, readPieces, writePieces } from './file-pieces.ts';

/**
 * A tensor on the host; half-precision values are widened on reading. `data` may be a getter that fetches the values
 * each time, so that a model need not be in memory twice: take it once.
 */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A tensor that a file has; its values are not read yet. */
export interface StoredTensor {
  /** The format's name of the type, such as F32, BF16 or I64. */
  readonly dtype: string;
  readonly shape: readonly number[];
  /**
   * Its values, widened to float32. Fails with `unsupported-dtype` on a type that holds no F32, F16 or BF16 numbers.
   */
  read(): Float32Array;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const maxHeaderBytes = 100_000_000;
/**
 * Bytes of an element; also of unsupported types, so that a truncated file can be distinguished from one with such a
 * type.
 */
const bytesOf: Readonly<Record<string, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
};

/**
 * Write float32 tensors in the safetensors format: a length (u64, little-endian), a JSON header padded to 8 bytes, then
 * the data, fetched tensor by tensor. Fsynced before it returns. `{format: pt}` is the metadata that `transformers`
 * insists on.
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, HostTensor>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
  size = pieceBytes,
): void {
  const sorted = [...tensors].sort(([a], [b]) => (a < b ? -1 : 1));
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { shape }] of sorted)
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, (offset += 4 * elements(shape))] };
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const fd = openSync(path, 'w');
  try {
    writePieces(fd, length);
    writePieces(fd, padded);
    for (const [name, tensor] of sorted) {
      const { data } = tensor;
      if (data.length !== elements(tensor.shape))
        throw new TypeError(`tensor ${name} does not have its shape's values`);
      writePieces(fd, data, size);
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Read every tensor of a file. Fails with `damaged-safetensors` on a header or data that do not fit the format. */
export function readSafetensors(path: string): Map<string, HostTensor> {
  return new Map(
    [...openSafetensors(path)].map(([name, tensor]) => [name, { shape: tensor.shape, data: tensor.read() }]),
  );
}

/**
 * The tensors of a file, each to be read when it is wanted. Fails with `damaged-safetensors`, and for a file that is
 * cut off at once.
 */
export function openSafetensors(path: string, size = pieceBytes): Map<string, StoredTensor> {
  return withFile(path, (fd, damaged) => {
    const { size: fileBytes } = fstatSync(fd);
    if (fileBytes < 8) damaged('it ends inside its first 8 bytes');
    const headerBytes = Number(readExactly(fd, 0, 8, damaged).readBigUInt64LE());
    if (headerBytes > maxHeaderBytes || 8 + headerBytes > fileBytes)
      damaged(`its header would be ${headerBytes} bytes`);
    const header = parseHeader(readExactly(fd, 8, headerBytes, damaged).toString('utf8'), damaged);
    return new Map(
      header.map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [start, end],
          },
        ]): [string, StoredTensor] => {
          const count = elements(shape);
          const width = bytesOf[dtype];
          if (
            !(0 <= start && start <= end) ||
            (width !== undefined && end - start !== count * width) ||
            8 + headerBytes + end > fileBytes
          )
            damaged(`the data of tensor ${name} is cut off or has the wrong size`);
          const read = (): Float32Array => {
            if (!isReadable(dtype))
              fail(
                'unsupported-dtype',
                `${path}: tensor ${name} is ${dtype}; only F32, F16 and BF16 are supported.`,
                'Save the model in float32, float16 or bfloat16.',
              );
            return withFile(path, (file, gone) =>
              values(dtype, count, size, (into, from) => {
                if (readPieces(file, 8 + headerBytes + start + from, into, size) < into.byteLength) gone(endedEarly);
              }),
            );
          };
          return [name, { dtype, shape, read }];
        },
      ),
    );
  });
}

type Readable = 'F32' | 'F16' | 'BF16';

const isReadable = (dtype: string): dtype is Readable => dtype === 'F32' || dtype === 'F16' || dtype === 'BF16';

function withFile<T>(path: string, use: (fd: number, damaged: (why: string) => never) => T): T {
  const fd = openSync(path, 'r');
  try {
    return use(fd, (why) =>
      fail(
        'damaged-safetensors',
        `${path} is not a valid safetensors file: ${why}`,
        'Download the file again, or run the stage that wrote it again.',
      ),
    );
  } finally {
    closeSync(fd);
  }
}

function parseHeader(text: string, damaged: (why: string) => never): [string, Entry][] {
  let header: unknown;
  try {
    header = JSON.parse(text);
  } catch {
    damaged('its header is not JSON');
  }
  if (typeof header !== 'object' || header === null) damaged('its header is not a JSON object');
  const entries: [string, Entry][] = [];
  for (const [name, value] of Object.entries(header as Record<string, Partial<Entry>>)) {
    if (name === '__metadata__') continue;
    if (
      typeof value?.dtype !== 'string' ||
      !areCounts(value.shape) ||
      !areCounts(value.data_offsets) ||
      value.data_offsets.length !== 2
    )
      damaged(`its header has no valid entry for ${name}`);
    entries.push([name, value as Entry]);
  }
  return entries;
}

function areCounts(values: unknown): values is readonly number[] {
  return Array.isArray(values) && values.every((value) => Number.isSafeInteger(value) && (value as number) >= 0);
}

/**
 * The values of a tensor, of which at most a piece is in memory in another type. `fill` reads from a given byte of its
 * data.
 */
function values(
  dtype: Readable,
  count: number,
  size: number,
  fill: (into: NodeJS.ArrayBufferView, from: number) => void,
): Float32Array {
  const out = new Float32Array(count);
  if (dtype === 'F32') {
    fill(out, 0);
    return out;
  }
  const halves = new Uint16Array(Math.min(count, Math.max(1, size >> 1)));
  for (let done = 0; done < count; done += halves.length) {
    const some = halves.subarray(0, count - done);
    fill(some, 2 * done);
    widen(some, dtype, out.subarray(done, done + some.length));
  }
  return out;
}

function widen(halves: Uint16Array, dtype: Exclude<Readable, 'F32'>, out: Float32Array): void {
  if (dtype === 'BF16') {
    const bits = new Uint32Array(out.buffer, out.byteOffset, out.length);
    for (let i = 0; i < halves.length; i++) bits[i] = (halves[i] as number) << 16;
  } else {
    halfValues ??= Float32Array.from({ length: 1 << 16 }, (_, bits) => halfToNumber(bits));
    for (let i = 0; i < halves.length; i++) out[i] = halfValues[halves[i] as number] as number;
  }
}

/** The value of every half: a look-up is an order of magnitude faster than arithmetic. */
let halfValues: Float32Array | undefined;

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

const endedEarly = 'the file ended while it was being read';

function readExactly(fd: number, position: number, length: number, damaged: (why: string) => never): Buffer {
  const bytes = Buffer.alloc(length);
  if (readPieces(fd, position, bytes) < length) damaged(endedEarly);
  return bytes;
}

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}
