import { createRequire } from 'node:module';
import { dirname, join, sep } from 'node:path';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
import {
  getKernel,
  registerKernel,
  unregisterKernel,
  type DataId,
  type KernelBackend,
  type KernelFunc,
  type TensorInfo,
} from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import { registerHostKernels } from './host.ts';

/** What of the wasm backend's inside this file uses; its own types keep it private. */
type Wasm = KernelBackend &
  Pick<BackendWasm, 'makeOutput' | 'typedArrayFromHeap' | 'disposeData'> & {
    dataIdNextNumber: number;
    dataIdMap: { get(id: DataId): { id: number; memoryOffset: number } };
    wasm: {
      cwrap(name: string, result: null, argumentTypes: readonly string[]): (...args: readonly unknown[]) => void;
      tfjs: { registerTensor(id: number, size: number, offset: number): void; disposeData(id: number): void };
    };
  };

/** tfjs on WebAssembly with SIMD: needs nothing but its npm package. */
export function registerWasm(): void {
  const binary = createRequire(import.meta.url).resolve(
    '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm',
  );
  setWasmPaths(join(dirname(binary), sep));
  registerHostKernels<Wasm>('wasm', {
    allocate: (backend, shape, dtype) => backend.makeOutput(shape, dtype),
    view: (backend, info) => {
      const view = backend.typedArrayFromHeap(info as Parameters<Wasm['typedArrayFromHeap']>[0]);
      if (view instanceof Float32Array || view instanceof Int32Array) return view;
      throw new TypeError(`host kernels take float32 and int32, not ${info.dtype}`);
    },
    // XNNPACK keeps a packed copy of a matrix it multiplied by, under the tensor's id, until that id is disposed of.
    changed: (backend, info) => {
      const { id, memoryOffset } = backend.dataIdMap.get(info.dataId);
      backend.wasm.tfjs.disposeData(id);
      backend.wasm.tfjs.registerTensor(
        id,
        info.shape.reduce((a, b) => a * b, 1),
        memoryOffset,
      );
    },
  });
  replaceKernel('Transpose', transpose);
  replaceKernel('BatchMatMul', batchMatMul);
}

function replaceKernel(name: string, make: (original: KernelFunc) => KernelFunc): void {
  const original = getKernel(name, 'wasm');
  unregisterKernel(name, 'wasm');
  registerKernel({ ...original, kernelFunc: make(original.kernelFunc) });
}

/** The original copies element by element down the columns; in blocks, a 1024×512 matrix takes a fifth of the time. */
function transpose(original: KernelFunc): KernelFunc {
  return (args) => {
    const x = args.inputs.x as TensorInfo;
    const { perm } = args.attrs as unknown as { perm: number[] };
    const rank = perm.length;
    const swapsLastTwo =
      rank >= 2 &&
      x.dtype === 'float32' &&
      perm.every((axis, i) => axis === (i < rank - 2 ? i : i === rank - 2 ? rank - 1 : rank - 2));
    if (!swapsLastTwo) return original(args);
    return swapLastTwo(args.backend as Wasm, x);
  };
}

function swapLastTwo(backend: Wasm, x: TensorInfo): TensorInfo {
  const rows = x.shape.at(-2) as number;
  const columns = x.shape.at(-1) as number;
  const out = backend.makeOutput([...x.shape.slice(0, -2), columns, rows], 'float32');
  const from = backend.typedArrayFromHeap(x as Parameters<Wasm['typedArrayFromHeap']>[0]);
  const to = backend.typedArrayFromHeap(out);
  const size = rows * columns;
  const block = 16;
  for (let start = 0; start < from.length; start += size)
    for (let r0 = 0; r0 < rows; r0 += block)
      for (let c0 = 0; c0 < columns; c0 += block) {
        const rowEnd = Math.min(r0 + block, rows);
        const columnEnd = Math.min(c0 + block, columns);
        for (let c = c0; c < columnEnd; c++)
          for (let r = r0; r < rowEnd; r++) to[start + c * rows + r] = from[start + r * columns + c] as number;
      }
  return out;
}

/**
 * The original has a fast path (XNNPACK) for one untransposed pair of matrices and a naive loop for everything else, 10
 * to 50 times slower. This one transposes first and gives XNNPACK one matrix of the batch at a time, as views.
 */
function batchMatMul(original: KernelFunc): KernelFunc {
  let multiply: ((...args: readonly unknown[]) => void) | undefined;
  return (args) => {
    const backend = args.backend as Wasm;
    const { transposeA, transposeB } = args.attrs as unknown as { transposeA: boolean; transposeB: boolean };
    const temporary: TensorInfo[] = [];
    const plain = (info: TensorInfo, flip: boolean): TensorInfo => {
      if (!flip) return info;
      const flipped = swapLastTwo(backend, info);
      temporary.push(flipped);
      return flipped;
    };
    const a = plain(args.inputs.a as TensorInfo, transposeA);
    const b = plain(args.inputs.b as TensorInfo, transposeB);
    const [batchA, batchB] = [batchSize(a), batchSize(b)];
    let out: TensorInfo;
    if ((batchA === 1 && batchB === 1) || batchA !== batchB) {
      out = original({ ...args, inputs: { a, b }, attrs: { transposeA: false, transposeB: false } }) as TensorInfo;
    } else {
      multiply ??= backend.wasm.cwrap('BatchMatMul', null, [
        'number',
        'array',
        'number',
        'number',
        'array',
        'number',
        'number',
        'number',
        'number',
      ]);
      const [m, k, n] = [a.shape.at(-2) as number, a.shape.at(-1) as number, b.shape.at(-1) as number];
      out = backend.makeOutput([...a.shape.slice(0, -2), m, n], 'float32');
      const [atA, atB, atOut] = [a, b, out].map((info) => backend.dataIdMap.get(info.dataId).memoryOffset) as [
        number,
        number,
        number,
      ];
      const [shapeA, shapeB] = [
        [1, m, k],
        [1, k, n],
      ].map((shape) => new Uint8Array(new Int32Array(shape).buffer));
      for (let i = 0; i < batchA; i++) {
        const ids = [
          view(backend, atA, m * k, i),
          view(backend, atB, k * n, i),
          view(backend, atOut, m * n, i),
        ] as const;
        multiply(ids[0], shapeA, 3, ids[1], shapeB, 3, 0, 0, ids[2]);
        for (const id of ids) backend.wasm.tfjs.disposeData(id);
      }
    }
    for (const info of temporary) backend.disposeData(info.dataId);
    return out;
  };
}

/** Give the `index`-th matrix of a batch an id of its own, without copying; dispose of the id, not of the memory. */
function view(backend: Wasm, offset: number, size: number, index: number): number {
  const id = backend.dataIdNextNumber++;
  backend.wasm.tfjs.registerTensor(id, size, offset + index * size * 4);
  return id;
}

function batchSize(info: TensorInfo): number {
  return info.shape.slice(0, -2).reduce((a, b) => a * b, 1);
}
