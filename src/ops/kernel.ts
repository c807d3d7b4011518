import {
  engine,
  getBackend,
  getKernel,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
} from '@tensorflow/tfjs-core';

/**
 * Names of our kernels. A backend may register any of them; an op falls back to plain tfjs ops on one that does not.
 */
export type FusedKernel =
  | 'RpBiasGelu'
  | 'RpBiasGeluGrad'
  | 'RpResidualNorm'
  | 'RpResidualNormGrad'
  | 'RpLayerNorm'
  | 'RpLayerNormGrad'
  | 'RpDropout'
  | 'RpEmbedding'
  | 'RpEmbeddingGrad'
  | 'RpLinear'
  | 'RpLinearGrad'
  | 'RpAttention'
  | 'RpAttentionGrad'
  | 'RpCrossEntropy'
  | 'RpCrossEntropyGrad'
  | 'RpLabelScores'
  | 'RpSoftmaxGrad'
  | 'RpColumnSum'
  | 'RpGlobalNorm'
  | 'RpAdamW'
  | 'RpAdamWIfFinite';

/** Whether the current backend has a kernel of its own for this op. */
export function hasKernel(name: FusedKernel): boolean {
  return getKernel(name, getBackend()) !== undefined;
}

/** Run one of our kernels, on named inputs or on a list; outputs come in the order the kernel declares. */
export function runFused(
  name: FusedKernel,
  inputs: NamedTensorMap | readonly Tensor[],
  attrs: NamedAttrMap = {},
): Tensor[] {
  const out: Tensor | Tensor[] = engine().runKernel<Tensor | Tensor[]>(name, inputs as NamedTensorMap, attrs);
  return Array.isArray(out) ? out : [out];
}

/** What a host kernel reads or writes. */
export type HostArray = Float32Array | Int32Array;

/**
 * A kernel as a loop over typed arrays, for backends whose tensors lie in this process's memory (`cpu`, `wasm`). Inputs
 * come in the order of `inputs`, or as many as there are of a `list`; it may write into them only when it says
 * `inPlace`.
 */
export interface HostKernel {
  readonly name: FusedKernel;
  readonly inputs: readonly string[] | 'list';
  readonly inPlace?: boolean;
  outputs(
    shapes: readonly (readonly number[])[],
    attrs: Readonly<Record<string, number>>,
  ): readonly Pick<TensorInfo, 'shape' | 'dtype'>[];
  run(
    inputs: readonly HostArray[],
    outputs: readonly HostArray[],
    attrs: Readonly<Record<string, number>>,
    shapes: readonly (readonly number[])[],
  ): void;
}

/** The last dimension: the width of a row. */
export function rowWidth(shape: readonly number[]): number {
  return shape.at(-1) ?? 1;
}
