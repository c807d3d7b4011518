import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSafetensors, readSafetensors, writeSafetensors } from '../../src/model/safetensors.ts';

const path = (): string => join(mkdtempSync(join(tmpdir(), 'safetensors-')), 'x.safetensors');

function written(header: string, data: Uint8Array = new Uint8Array()): string {
  const file = path();
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  writeFileSync(file, Buffer.concat([length, Buffer.from(header), data]));
  return file;
}

const sixteenBits = (dtype: string, bits: readonly number[]): string =>
  written(
    JSON.stringify({ x: { dtype, shape: [bits.length], data_offsets: [0, 2 * bits.length] } }),
    new Uint8Array(Uint16Array.from(bits).buffer),
  );

test('what was written is read, a scalar and an empty tensor with the rest', () => {
  const file = path();
  const tensors = new Map([
    ['b', { shape: [2, 3], data: Float32Array.of(1, -2, 3e38, -0, 1e-40, 0.1) }],
    ['a', { shape: [], data: Float32Array.of(7) }],
    ['none', { shape: [0, 4], data: new Float32Array() }],
  ]);
  writeSafetensors(file, tensors);
  expect(readSafetensors(file)).toEqual(new Map([...tensors].sort(([x], [y]) => (x < y ? -1 : 1))));
});

test.each([1, 3, 4, 7, 1 << 20])('written and read in pieces of %i bytes, a file is the same', (size) => {
  const data = Float32Array.from({ length: 23 }, (_, i) => Math.sin(i));
  const tensors = new Map([
    ['a', { shape: [1], data: Float32Array.of(5) }],
    ['b', { shape: [23], data }],
  ]);
  const [whole, pieces] = [path(), path()];
  writeSafetensors(whole, tensors);
  writeSafetensors(pieces, tensors, undefined, size);
  expect(readFileSync(pieces)).toEqual(readFileSync(whole));
  expect(openSafetensors(whole, size).get('b')!.read()).toEqual(data);
  const halves = Array.from({ length: 9 }, (_, i) => 0x3c00 + 77 * i);
  const file = sixteenBits('F16', halves);
  expect(openSafetensors(file, size).get('x')!.read()).toEqual(readSafetensors(file).get('x')!.data);
});

test('values are taken one tensor at a time, each once', () => {
  const taken: string[] = [];
  const lazy = (name: string) => ({
    shape: [2],
    get data() {
      taken.push(name);
      return Float32Array.of(1, 2);
    },
  });
  writeSafetensors(path(), new Map([lazy('b'), lazy('a')].map((tensor, i) => ['ba'[i]!, tensor])));
  expect(taken).toEqual(['a', 'b']);
});

test('values that are not of the shape are never written', () =>
  expect(() => writeSafetensors(path(), new Map([['a', { shape: [3], data: Float32Array.of(1) }]]))).toThrow(
    /tensor a does not have its shape's values/,
  ));

test.each([
  {
    dtype: 'F16',
    bits: [0x3c00, 0xc000, 0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x3555],
    values: [1, -2, 0, -0, 2 ** -24, 1023 * 2 ** -24, 2 ** -14, 65504, Infinity, -Infinity, Number.NaN, 0.333251953125],
  },
  {
    dtype: 'BF16',
    bits: [0x3f80, 0xc000, 0x8000, 0x0001, 0x7f80, 0x7fc0, 0x3eab],
    values: [1, -2, -0, 2 ** -133, Infinity, Number.NaN, 0.333984375],
  },
])('$dtype is widened bit for bit', ({ dtype, bits, values }) =>
  expect([...readSafetensors(sixteenBits(dtype, bits)).get('x')!.data]).toEqual(values),
);

test('a tensor of another type is listed, and refused only when it is read', () => {
  const tensor = openSafetensors(
    written('{"ids":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}', new Uint8Array(8)),
  ).get('ids')!;
  expect(tensor).toMatchObject({ dtype: 'I64', shape: [1] });
  expect(() => tensor.read()).toThrow(/tensor ids is I64; only F32, F16 and BF16 are supported/);
});

describe('damage is found before anything is read:', () => {
  test.each([
    {
      name: 'data outside the file',
      header: '{"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
      why: /tensor x is cut off/,
    },
    {
      name: 'offsets that do not fit the shape',
      header: '{"x":{"dtype":"F32","shape":[1],"data_offsets":[0,2]}}',
      why: /tensor x is cut off or has the wrong size/,
    },
    {
      name: 'offsets backwards',
      header: '{"x":{"dtype":"F8","shape":[1],"data_offsets":[2,1]}}',
      why: /tensor x is cut off/,
    },
    {
      name: 'a negative offset',
      header: '{"x":{"dtype":"F32","shape":[1],"data_offsets":[-4,0]}}',
      why: /no valid entry for x/,
    },
    {
      name: 'a shape that is none',
      header: '{"x":{"dtype":"F32","shape":[0.5],"data_offsets":[0,2]}}',
      why: /no valid entry for x/,
    },
    { name: 'no JSON', header: '{"x":', why: /its header is not JSON/ },
    { name: 'no object', header: 'null', why: /its header is not a JSON object/ },
  ])('$name', ({ header, why }) => expect(() => openSafetensors(written(header, new Uint8Array(4)))).toThrow(why));
});
