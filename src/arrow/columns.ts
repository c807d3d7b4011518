import {
  Bool,
  Data,
  Float32,
  Float64,
  Int32,
  makeData,
  Uint16,
  Uint32,
  Utf8,
  type DataType,
  type List,
} from 'apache-arrow';
import type { Value } from '../core/data.ts';
import type { ContractField } from './contract.ts';

/** Collects the values of one column until they become part of a record batch. */
export interface ColumnBuilder {
  readonly bytes: number;
  /** Throws a TypeError when the value is not of the column's type. */
  push(value: Value | undefined): void;
  /** The collected column as Arrow data; the builder is empty afterwards. */
  finish(): Data;
}

/** A builder for a contract's column; `type` is its Arrow type. */
export function columnBuilder(field: ContractField, type: DataType): ColumnBuilder {
  switch (field.type) {
    case 'utf8':
      return new TextColumn(field.name);
    case 'list<uint16>':
      return new ListColumn(field.name, type as List, (n) => new Uint16Array(n), new Uint16());
    case 'list<uint32>':
      return new ListColumn(field.name, type as List, (n) => new Uint32Array(n), new Uint32());
    case 'bool':
    case 'int32':
    case 'uint32':
    case 'float32':
    case 'float64':
      return new ScalarColumn(field.name, type);
  }
}

const encoder = new TextEncoder();

class TextColumn implements ColumnBuilder {
  private readonly name: string;
  private offsets: number[] = [0];
  private buffer = new Uint8Array(1 << 16);
  bytes = 0;
  constructor(name: string) {
    this.name = name;
  }
  push(value: Value | undefined): void {
    if (typeof value !== 'string') throw new TypeError(`column "${this.name}" takes a string, not ${describe(value)}`);
    const most = this.bytes + value.length * 3;
    if (most > this.buffer.length) {
      const grown = new Uint8Array(Math.max(most, this.buffer.length * 2));
      grown.set(this.buffer.subarray(0, this.bytes));
      this.buffer = grown;
    }
    this.bytes += encoder.encodeInto(value, this.buffer.subarray(this.bytes)).written;
    this.offsets.push(this.bytes);
  }
  finish(): Data {
    const data = makeData({
      type: new Utf8(),
      length: this.offsets.length - 1,
      nullCount: 0,
      valueOffsets: Int32Array.from(this.offsets),
      data: this.buffer.slice(0, this.bytes),
    });
    this.offsets = [0];
    this.bytes = 0;
    return data;
  }
}

type ListValues = Uint16Array<ArrayBuffer> | Uint32Array<ArrayBuffer>;

class ListColumn implements ColumnBuilder {
  private readonly name: string;
  private readonly type: List;
  private readonly allocate: (length: number) => ListValues;
  private readonly item: Uint16 | Uint32;
  private offsets: number[] = [0];
  private values: ListValues;
  private length = 0;
  constructor(name: string, type: List, allocate: (length: number) => ListValues, item: Uint16 | Uint32) {
    this.name = name;
    this.type = type;
    this.allocate = allocate;
    this.item = item;
    this.values = allocate(1 << 14);
  }
  get bytes(): number {
    return this.length * this.values.BYTES_PER_ELEMENT;
  }
  push(value: Value | undefined): void {
    if (!ArrayBuffer.isView(value))
      throw new TypeError(`column "${this.name}" takes a typed array, not ${describe(value)}`);
    if (this.length + value.length > this.values.length) {
      const grown = this.allocate(Math.max(this.length + value.length, this.values.length * 2));
      grown.set(this.values.subarray(0, this.length));
      this.values = grown;
    }
    this.values.set(value, this.length);
    this.length += value.length;
    this.offsets.push(this.length);
  }
  finish(): Data {
    const child = makeData({
      type: this.item,
      length: this.length,
      nullCount: 0,
      data: this.values.slice(0, this.length),
    });
    const data = makeData({
      type: this.type,
      length: this.offsets.length - 1,
      nullCount: 0,
      valueOffsets: Int32Array.from(this.offsets),
      child,
    });
    this.offsets = [0];
    this.length = 0;
    return data;
  }
}

class ScalarColumn implements ColumnBuilder {
  private readonly name: string;
  private readonly type: DataType;
  private values: number[] = [];
  constructor(name: string, type: DataType) {
    this.name = name;
    this.type = type;
  }
  get bytes(): number {
    return this.values.length * 8;
  }
  push(value: Value | undefined): void {
    if (typeof value !== 'number' && typeof value !== 'boolean')
      throw new TypeError(`column "${this.name}" takes a number, not ${describe(value)}`);
    this.values.push(Number(value));
  }
  finish(): Data {
    const { values, type } = this;
    this.values = [];
    const common = { length: values.length, nullCount: 0 };
    if (type instanceof Int32) return makeData({ type, ...common, data: Int32Array.from(values) });
    if (type instanceof Uint32) return makeData({ type, ...common, data: Uint32Array.from(values) });
    if (type instanceof Float32) return makeData({ type, ...common, data: Float32Array.from(values) });
    if (type instanceof Float64) return makeData({ type, ...common, data: Float64Array.from(values) });
    const bits = new Uint8Array(Math.ceil(values.length / 8));
    values.forEach((value, index) => {
      if (value) bits[index >> 3]! |= 1 << (index & 7);
    });
    return makeData({ type: new Bool(), ...common, data: bits });
  }
}

function describe(value: unknown): string {
  return value === null ? 'null' : typeof value === 'object' ? value.constructor.name : `${typeof value}`;
}
