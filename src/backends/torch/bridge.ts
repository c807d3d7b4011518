import { createRequire } from 'node:module';

declare const handleBrand: unique symbol;
/** A tensor of libtorch, in the bridge's table; live until it is freed. */
export type Handle = number & { readonly [handleBrand]: true };

/**
 * What an ATen operator takes, by its schema: handles, numbers, lists of either, null for none, a seed for a generator.
 */
export type Argument =
  Handle | number | boolean | string | null | undefined | readonly (Handle | number | boolean | null)[];
export type HostValues = Float32Array | Int32Array | Uint8Array;

/** The native bridge (`native/*.cc`). Its errors name the operator and the shapes it was given. */
export interface Bridge {
  /** Version of the libtorch it was compiled against. */
  readonly version: string;
  /** Number of an operator for `call`, or -1 when this libtorch does not have it. */
  op(name: string, overload: string): number;
  /** Results as new handles, numbers or lists of them; several results as an array. */
  call(op: number, ...args: readonly Argument[]): unknown;
  fromHost(values: HostValues, shape: readonly number[], device: string): Handle;
  toHost(tensor: Handle): HostValues;
  /**
   * Let `toHost` wait for what is queued now, not for what is queued until then. For tensors that do not change in
   * place.
   */
  startReading(tensor: Handle): void;
  free(tensor: Handle): void;
  /** The number of its c10::ScalarType, then its shape. */
  info(tensor: Handle): [scalarType: number, ...shape: number[]];
  /** Live handles. */
  count(): number;
  setThreads(count: number): void;
  /** Whether there is a CUDA device that can be used; it is made ready. Throws what the driver says against it. */
  hasGpu(): boolean;
  /** Seed the generator that operators draw from which take none. */
  seed(seed: number, device: string): void;
  /**
   * Compile CUDA C++ for the first GPU; `library` has NVRTC and the driver, itself or in what it needs. Returns the
   * GPU's compute capability, times ten.
   */
  compileKernels(library: string, source: string): number;
  /**
   * Whether operators that may give other bits each time have to take a way that does not, or else fail; by default
   * they warn.
   */
  strict(on: boolean): void;
  /**
   * Queue a kernel. `types` has a letter for each argument: a tensor's memory `p` (a copy's, of one that is not
   * contiguous: results must be), an integer of 32 bits `i`, a float `f`.
   */
  launch(
    kernel: string,
    grid: readonly [number, number],
    block: readonly [number, number],
    types: string,
    ...args: readonly (Handle | number)[]
  ): void;
}

/** Load the compiled bridge. Throws what the loader says when a library it needs is gone. */
export function loadBridge(path: string): Bridge {
  return createRequire(import.meta.url)(path) as Bridge;
}
