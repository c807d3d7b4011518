import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs';
import { fail } from '../core/diagnostic.ts';

/** A tensor on the host; half-precision values are widened on reading. */
export interface HostTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

const maxHeaderBytes = 100_000_000;
const bytesOf: Readonly<Record<string, number>> = { F32: 4, F16: 2, BF16: 2 };

/**
 * Write float32 tensors in the safetensors format: a length (u64, little-endian), a JSON header padded to 8 bytes, then
 * the data. Fsynced before it returns. `{format: pt}` is the metadata that `transformers` insists on.
 */
export function writeSafetensors(path: string, tensors: ReadonlyMap<string, HostTensor>, metadata: Readonly<Record<string, string>> = { format: 'pt' }): void {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  const names = [...tensors.keys()].sort();
  for (const name of names) {
    const { shape, data } = tensors.get(name) as HostTensor;
    header[name] = { dtype: 'F32', shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const padded = Buffer.alloc(Math.ceil(text.length / 8) * 8, ' ');
  text.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  const fd = openSync(path, 'w');
  try {
    writeAll(fd, length);
    writeAll(fd, padded);
    for (const name of names) {
      const { data } = tensors.get(name) as HostTensor;
      writeAll(fd, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
    }
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}

/** Read every tensor of a file. Fails with `damaged-safetensors` on a header or data that do not fit the format. */
export function readSafetensors(path: string): Map<string, HostTensor> {
  const damaged = (why: string): never => fail('damaged-safetensors', `${path} is not a sound safetensors file: ${why}`, 'Fetch the file again, or run the stage that wrote it again.');
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    if (size < 8) damaged('it ends inside its first 8 bytes');
    const headerBytes = Number(readExactly(fd, 0, 8).readBigUInt64LE());
    if (headerBytes > maxHeaderBytes || 8 + headerBytes > size) damaged(`its header would be ${headerBytes} bytes`);
    const header = parseHeader(readExactly(fd, 8, headerBytes).toString('utf8'), damaged);
    const tensors = new Map<string, HostTensor>();
    for (const [name, { dtype, shape, data_offsets: [start, end] }] of header) {
      const width = bytesOf[dtype] ?? damaged(`tensor ${name} is ${dtype}; F32, F16 and BF16 are supported`);
      const count = shape.reduce((a, b) => a * b, 1);
      if (end - start !== count * width || start < 0 || 8 + headerBytes + end > size) damaged(`the data of tensor ${name} is cut off or has the wrong size`);
      tensors.set(name, { shape, data: widen(readExactly(fd, 8 + headerBytes + start, end - start), dtype, count) });
    }
    return tensors;
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
  const entries: [string, Entry][] = [];
  for (const [name, value] of Object.entries(header as Record<string, Partial<Entry>>)) {
    if (name === '__metadata__') continue;
    if (typeof value?.dtype !== 'string' || !Array.isArray(value.shape) || value.data_offsets?.length !== 2) damaged(`its header says nothing usable about ${name}`);
    entries.push([name, value as Entry]);
  }
  return entries;
}

function widen(bytes: Buffer, dtype: string, count: number): Float32Array {
  const out = new Float32Array(count);
  if (dtype === 'F32') new Uint8Array(out.buffer).set(bytes);
  else if (dtype === 'BF16') {
    const bits = new Uint32Array(out.buffer);
    for (let i = 0; i < count; i++) bits[i] = bytes.readUInt16LE(2 * i) << 16;
  } else for (let i = 0; i < count; i++) out[i] = halfToNumber(bytes.readUInt16LE(2 * i));
  return out;
}

function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Infinity;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function readExactly(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let done = 0; done < length; ) {
    const read = readSync(fd, bytes, done, length - done, position + done);
    if (read === 0) throw new RangeError('file ended while it was read');
    done += read;
  }
  return bytes;
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done);
}
