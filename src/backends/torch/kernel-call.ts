import { type DataType, type NamedTensorInfoMap, type TensorInfo } from '@tensorflow/tfjs-core';
import type { Bridge, Argument, Handle } from './bridge.ts';
import { aten, scalar, type Op, type ScalarType } from './aten.ts';
import type { TorchBackend } from './backend.ts';
import { gpuOperators } from './gpu-operators.ts';

/**
 * One run of a kernel: its inputs as handles, and ATen calls whose results are freed at its end unless it returns them.
 */
export class KernelCall<Attrs = Readonly<Record<string, unknown>>> {
  readonly backend: TorchBackend;
  readonly attrs: Attrs;
  private readonly inputs: NamedTensorInfoMap;
  private readonly made: Handle[] = [];

  constructor(backend: TorchBackend, inputs: NamedTensorInfoMap, attrs: Attrs) {
    this.backend = backend;
    this.inputs = inputs;
    this.attrs = attrs;
  }

  call<Args extends readonly Argument[], Result>(op: Op<Args, Result>, ...args: Args): Result {
    const onGpu = this.backend.usesGpuKernels ? gpuOperators.get(op) : undefined;
    if (onGpu !== undefined) return onGpu(this, args) as Result;
    const result = this.backend.call(op, args);
    if (typeof result === 'number') this.made.push(result as unknown as Handle);
    else if (Array.isArray(result))
      for (const each of result) if (typeof each === 'number') this.made.push(each as Handle);
    return result;
  }

  /** Queue a kernel of `native/kernels.cu`. */
  launch(...args: Parameters<Bridge['launch']>): void {
    this.backend.bridge.launch(...args);
  }

  /** Whether one of our own operators can be called here. */
  owns<Args extends readonly Argument[], Result>(op: Op<Args, Result>): boolean {
    return this.backend.has(op);
  }

  info(name: string | number): TensorInfo {
    const info = this.inputs[name];
    if (info === undefined) throw new TypeError(`the kernel was called without its input '${name}'`);
    return info;
  }

  in(name: string | number): Handle {
    return this.backend.handle(this.info(name).dataId);
  }

  has(name: string): boolean {
    return this.inputs[name] !== undefined;
  }

  /** Every input, of a kernel that takes a list. */
  list(): Handle[] {
    return Object.values(this.inputs).map((info) => this.backend.handle((info as TensorInfo).dataId));
  }

  shape(name: string | number): number[] {
    return this.info(name).shape;
  }

  /** The same for a tensor that is not an input. */
  shapeOf(handle: Handle): number[] {
    return this.backend.bridge.info(handle).slice(1);
  }

  /** What an input is held in. */
  type(name: string | number): ScalarType {
    return this.backend.type(this.info(name).dataId);
  }

  /** What activations are held in. */
  get heldType(): ScalarType {
    return this.backend.heldType;
  }

  /** What products are computed in. */
  get productType(): ScalarType {
    return this.backend.productType;
  }

  /** An input converted to a type, if it is not of that type yet. */
  as(name: string | number, type: ScalarType): Handle {
    return this.type(name) === type ? this.in(name) : this.call(aten.to, this.in(name), type);
  }

  /** An activation as an operand of a product. */
  operand(name: string | number): Handle {
    const rounded = this.as(name, this.heldType);
    return this.heldType === this.productType ? rounded : this.call(aten.to, rounded, this.productType);
  }

  /** A product as an activation. */
  activation(product: Handle): Handle {
    return this.heldType === this.productType ? product : this.call(aten.to, product, this.heldType);
  }

  /**
   * A weight as an operand of a product, with more rows of zeros if asked for; its low-precision copy is kept for the
   * next one.
   */
  weight(name: string | number, moreRows = 0): Handle {
    return this.backend.weight(this.info(name).dataId, moreRows);
  }

  /** Say that an input was written to. */
  changed(name: string | number): void {
    this.backend.changed(this.info(name).dataId);
  }

  /** A tensor made of host values. */
  host(values: Float32Array | Int32Array, shape: readonly number[]): Handle {
    const handle = this.backend.bridge.fromHost(values, shape, this.backend.device);
    this.made.push(handle);
    return handle;
  }

  /** Give the outputs to the backend as tensors and free everything else that was made. */
  finish(outputs: Handle | readonly Handle[]): TensorInfo | TensorInfo[] {
    const many = typeof outputs === 'number' ? [outputs] : outputs;
    const infos = many.map((handle) => {
      const at = this.made.indexOf(handle);
      if (at < 0) throw new TypeError('a kernel returned a tensor that it did not make');
      this.made.splice(at, 1);
      return this.backend.adopt(handle);
    });
    this.release();
    return typeof outputs === 'number' ? (infos[0] as TensorInfo) : infos;
  }

  release(): void {
    for (const handle of this.made) this.backend.bridge.free(handle);
    this.made.length = 0;
  }
}

/** What a tfjs dtype is made as. */
export function scalarOf(dtype: DataType): ScalarType {
  if (dtype === 'bool') return scalar.bool;
  return dtype === 'int32' ? scalar.int32 : scalar.float32;
}
