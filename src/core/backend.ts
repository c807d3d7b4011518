/** What can execute tensor kernels. */
export type BackendName = 'torch' | 'tensorflow' | 'wasm' | 'cpu';
/** In which type matrix products are computed; bf16 on torch only. */
export type Precision = 'fp32' | 'bf16';

/** What computes tensors in a stage, decided at plan time: name, version and device go into the action key. */
export interface BackendChoice {
  readonly name: BackendName;
  /** Of the library that computes: PyTorch, TensorFlow or the tfjs backend. */
  readonly version: string;
  readonly device: 'cpu' | 'cuda';
  /** Types in which it computes matrix products, the usual one first: `fp32`, `bf16`. */
  readonly precisions: readonly string[];
  /**
   * What `run-pipeline setup` made, for backends that it sets up: the compiled bridge, a digest of what it was compiled
   * from, which goes into the action key as well, and, where it has one, the folder of its npm package.
   */
  readonly native?: { readonly bridge: string; readonly sources: string; readonly modules?: string };
  /** How many threads it may use, once the stage has its cores. */
  readonly threads?: number;
  /** Why this one, in a few words. */
  readonly reason: string;
  /** What would be faster, or what to know of this one, as a phrase. */
  readonly hint?: string;
}
