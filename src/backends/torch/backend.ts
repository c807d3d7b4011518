import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  DataStorage,
  engine,
  KernelBackend,
  util,
  type BackendValues,
  type DataId,
  type DataType,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { Precision } from '../../core/backend.ts';
import { torchSources } from '../installation.ts';
import type { Bridge, Argument, Handle, HostValues } from './bridge.ts';
import { aten, scalar, type Op, type ScalarType } from './aten.ts';
import { gpuOperators } from './gpu-operators.ts';
import { bfloat16Products, readCpuinfo, type Bfloat16Products } from './bfloat16.ts';

export interface TorchOptions {
  /** In which type matrix products are computed. Sums, statistics, losses, weights and optimizer state stay float32. */
  readonly precision?: Precision;
  readonly device?: 'cpu' | 'cuda';
  /** What bf16 products are computed in; by default what suits the processor. */
  readonly bfloat16?: Bfloat16Products;
  /** Call only ATen's operators, and none of our own. */
  readonly portable?: boolean;
  /**
   * A library with NVRTC and the driver, for kernels of our own on a GPU; by default the one that libtorch itself
   * opens.
   */
  readonly driver?: string;
}

/** A tensor's value. A tfjs float32 tensor may be held in bfloat16: what it is held in is this backend's business. */
interface Held {
  readonly handle: Handle;
  readonly dtype: DataType;
  readonly type: ScalarType;
  references: number;
  /** A weight rounded to bfloat16, made at its first product and dropped when the weight changes. */
  low?: Handle;
}

/** A tfjs backend whose tensors are libtorch's and whose kernels (`kernels/`) are ATen calls. */
export class TorchBackend extends KernelBackend {
  readonly bridge: Bridge;
  readonly device: string;
  /** What activations are held in between products. */
  heldType: ScalarType = scalar.float32;
  /** What products are computed in. */
  productType: ScalarType = scalar.float32;
  /** Whether our kernels for GPUs are compiled and to be used. */
  usesGpuKernels = false;
  private portable = false;
  /** Compute capability of the GPU, times ten; 0 until our kernels are compiled for it. */
  private capability = 0;
  private readonly held: DataStorage<Held>;
  private readonly ops = new Map<Op<readonly Argument[], unknown>, number>();

  constructor(bridge: Bridge, { device = 'cpu' }: Pick<TorchOptions, 'device'>) {
    super();
    this.bridge = bridge;
    this.device = device;
    this.held = new DataStorage(this, engine());
  }

  /** Change how to compute from now on; existing tensors keep their type. */
  use({ precision = 'fp32', bfloat16, portable = false, driver }: TorchOptions): void {
    this.portable = portable;
    this.usesGpuKernels = !portable && (this.device === 'cuda' || driver !== undefined);
    if (this.usesGpuKernels && this.capability === 0) this.compile(driver ?? 'libcaffe2_nvrtc.so');
    this.heldType = precision === 'bf16' ? scalar.bfloat16 : scalar.float32;
    const isNative = (): boolean =>
      (bfloat16 ?? (this.device === 'cpu' ? bfloat16Products(readCpuinfo()) : 'native')) === 'native';
    this.productType = precision === 'bf16' && isNative() ? scalar.bfloat16 : scalar.float32;
  }

  /** Without our kernels, ATen's are used, with more passes over memory. */
  private compile(driver: string): void {
    try {
      this.capability = this.bridge.compileKernels(driver, readFileSync(join(torchSources(), 'kernels.cu'), 'utf8'));
    } catch (error) {
      this.usesGpuKernels = false;
      process.emitWarning(
        `Training on this GPU will be slower than it could be: our own kernels can't be used, so ATen's are. ` +
          `${(error as Error).message}`,
      );
    }
  }

  /** Whether attention can be libtorch's FlashAttention, which is for bfloat16 on Ampere and newer. */
  get hasFlashAttention(): boolean {
    return this.usesGpuKernels && this.capability >= 80 && this.productType === scalar.bfloat16;
  }

  /**
   * Call an ATen operator; whoever calls frees the result. Kernels call through their {@link KernelCall}, which does.
   */
  call<Args extends readonly Argument[], Result>(op: Op<Args, Result>, args: Args): Result {
    const index = this.find(op);
    if (index < 0)
      throw new Error(
        `libtorch ${this.bridge.version} has no operator ${op.name}; install a newer PyTorch and run setup torch again`,
      );
    return this.bridge.call(index, ...args) as Result;
  }

  private find<Args extends readonly Argument[], Result>(op: Op<Args, Result>): number {
    const key = op as unknown as Op<readonly Argument[], unknown>;
    let index = this.ops.get(key);
    if (index === undefined) {
      const [name = '', overload = ''] = op.name.split('.');
      index = this.bridge.op(name.includes('::') ? name : `aten::${name}`, overload);
      this.ops.set(key, index);
    }
    return index;
  }

  /**
   * Whether one of our own operators can be called: GPUs have some, and on the CPU attention needs a BLAS that libtorch
   * may hide.
   */
  has<Args extends readonly Argument[], Result>(op: Op<Args, Result>): boolean {
    if (this.usesGpuKernels) return gpuOperators.has(op);
    return this.device === 'cpu' && !this.portable && this.find(op) >= 0;
  }

  handle(dataId: DataId): Handle {
    return this.held.get(dataId).handle;
  }

  type(dataId: DataId): ScalarType {
    return this.held.get(dataId).type;
  }

  /**
   * A weight as an operand of a product: itself, or rounded to bfloat16, followed by the given number of rows of zeros.
   */
  weight(dataId: DataId, moreRows = 0): Handle {
    const held = this.held.get(dataId);
    if (this.heldType === scalar.float32) return held.handle;
    held.low ??= this.round(held.handle, moreRows);
    return held.low;
  }

  /**
   * How many columns to add to products of this width: tensor cores take rows of 16 bytes, which those of a vocabulary
   * seldom are.
   */
  padding(width: number): number {
    return this.usesGpuKernels && this.productType === scalar.bfloat16 ? (64 - (width % 64)) % 64 : 0;
  }

  private round(x: Handle, moreRows: number): Handle {
    if (moreRows > 0) {
      const more = this.call(aten.constant_pad, [x, [0, 0, 0, moreRows], 0]);
      const low = this.round(more, 0);
      this.bridge.free(more);
      return low;
    }
    const low = this.call(aten.to, [x, scalar.bfloat16]);
    if (this.productType === scalar.bfloat16) return low;
    const wide = this.call(aten.to, [low, scalar.float32]);
    this.bridge.free(low);
    return wide;
  }

  /** A tensor's values were changed in place. */
  changed(dataId: DataId): void {
    const held = this.held.get(dataId);
    if (held.low !== undefined) this.bridge.free(held.low);
    delete held.low;
  }

  /** Take ownership of a handle as a tensor. */
  adopt(handle: Handle): TensorInfo {
    let [type, ...shape] = this.bridge.info(handle);
    if (type === scalar.int64) {
      const narrow = this.call(aten.to, [handle, scalar.int32]);
      this.bridge.free(handle);
      [handle, type] = [narrow, scalar.int32];
    }
    const dtype = type === scalar.bool ? 'bool' : type === scalar.int32 ? 'int32' : 'float32';
    const dataId = {};
    this.held.set(dataId, { handle, dtype, type: type as ScalarType, references: 1 });
    return { dataId, shape, dtype };
  }

  /** The same tensor once more, so that what gradients keep of a weight finds the copy that its products made. */
  share({ dataId, shape, dtype }: TensorInfo): TensorInfo {
    this.incRef(dataId);
    return { dataId, shape, dtype };
  }

  override write(values: BackendValues, shape: number[], dtype: DataType): DataId {
    const dataId = {};
    this.move(dataId, values, shape, dtype, 1);
    return dataId;
  }

  override move(
    dataId: DataId,
    values: BackendValues | null,
    shape: number[],
    dtype: DataType,
    references: number,
  ): void {
    if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool')
      throw new TypeError(`the torch backend has no ${dtype} tensors`);
    const host = values === null ? util.makeZerosTypedArray(util.sizeFromShape(shape), dtype) : typed(values, dtype);
    const type = dtype === 'float32' ? scalar.float32 : dtype === 'int32' ? scalar.int32 : scalar.bool;
    this.held.set(dataId, {
      handle: this.bridge.fromHost(host as HostValues, shape, this.device),
      dtype,
      type,
      references,
    });
  }

  override read(dataId: DataId): Promise<BackendValues> {
    return Promise.resolve(this.readSync(dataId));
  }

  override readSync(dataId: DataId): BackendValues {
    return this.bridge.toHost(this.handle(dataId));
  }

  /** See `ops/start-reading.ts`. */
  startReading(dataId: DataId): void {
    this.bridge.startReading(this.handle(dataId));
  }

  override refCount(dataId: DataId): number {
    return this.held.has(dataId) ? this.held.get(dataId).references : 0;
  }

  override incRef(dataId: DataId): void {
    this.held.get(dataId).references++;
  }

  override disposeData(dataId: DataId, force = false): boolean {
    if (!this.held.has(dataId)) return true;
    const held = this.held.get(dataId);
    held.references--;
    if (!force && held.references > 0) return false;
    this.changed(dataId);
    this.bridge.free(held.handle);
    this.held.delete(dataId);
    return true;
  }

  override numDataIds(): number {
    return this.held.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: false };
  }

  override floatPrecision(): 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {}
}

/** tfjs gives plain arrays for small tensors and any numeric array for the rest. */
function typed(values: BackendValues, dtype: 'float32' | 'int32' | 'bool'): HostValues {
  const numbers = values as ArrayLike<number>;
  if (dtype === 'float32') return values instanceof Float32Array ? values : Float32Array.from(numbers);
  if (dtype === 'int32') return values instanceof Int32Array ? values : Int32Array.from(numbers);
  return values instanceof Uint8Array ? values : Uint8Array.from(numbers);
}
