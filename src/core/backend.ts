/** What can execute tensor kernels. */
export type BackendName = 'torch' | 'tensorflow' | 'wasm' | 'cpu';
/** In which type matrix products are computed; bf16 on torch only. */
export type Precision = 'fp32' | 'bf16';

/** The tensor backend of a stage, chosen at plan time. Name, version and device go into the action key. */
export interface BackendChoice {
  readonly name: BackendName;
  /** The version of the library that computes: PyTorch, TensorFlow or the tfjs backend. */
  readonly version: string;
  readonly device: 'cpu' | 'cuda';
  /** Types in which it computes matrix products, default first: `fp32`, `bf16`. */
  readonly precisions: readonly string[];
  /**
   * For backends installed by `run-pipeline setup`: the compiled bridge, the digest of what it was compiled from, which
   * also goes into the action key, and the folder of its npm package, if it has one.
   */
  readonly native?: { readonly bridge: string; readonly sources: string; readonly modules?: string };
  /** Number of threads it may use, set when the stage gets its cores. */
  readonly threads?: number;
  /** Why this one, in a few words. */
  readonly reason: string;
  /** What would be faster, or a note about this one, as a phrase. */
  readonly hint?: string;
}
