import type { Argument, Handle } from './bridge.ts';

/** An ATen operator with the arguments it is called with here; omitted ones have the schema's defaults. */
export interface Op<Args extends readonly Argument[], Result = Handle> {
  /** `name` or `name.overload`; the namespace is `aten` unless it says another. */
  readonly name: string;
  readonly types?: (args: Args) => Result;
}

function op<Args extends readonly Argument[], Result = Handle>(name: string): Op<Args, Result> {
  return { name };
}

type Tensor = Handle;
type Maybe = Handle | null;
type Ints = readonly number[];
type Unary = [x: Tensor];
type Binary = [a: Tensor, b: Tensor];
type Reduce = [x: Tensor, dims: Ints, keepDims: boolean];

/** c10::ScalarType. */
export const scalar = { uint8: 0, int32: 3, int64: 4, float32: 6, bool: 11, bfloat16: 15 } as const;
export type ScalarType = (typeof scalar)[keyof typeof scalar];

/** Operators by name, as `native_functions.yaml` of PyTorch lists them. */
export const aten = {
  abs: op<Unary>('abs'),
  acos: op<Unary>('acos'),
  acosh: op<Unary>('acosh'),
  asin: op<Unary>('asin'),
  asinh: op<Unary>('asinh'),
  atan: op<Unary>('atan'),
  atanh: op<Unary>('atanh'),
  ceil: op<Unary>('ceil'),
  cos: op<Unary>('cos'),
  cosh: op<Unary>('cosh'),
  erf: op<Unary>('erf'),
  exp: op<Unary>('exp'),
  expm1: op<Unary>('expm1'),
  floor: op<Unary>('floor'),
  isfinite: op<Unary>('isfinite'),
  isinf: op<Unary>('isinf'),
  isnan: op<Unary>('isnan'),
  log: op<Unary>('log'),
  log1p: op<Unary>('log1p'),
  logical_not: op<Unary>('logical_not'),
  neg: op<Unary>('neg'),
  reciprocal: op<Unary>('reciprocal'),
  relu: op<Unary>('relu'),
  relu6: op<Unary>('relu6'),
  round: op<Unary>('round'),
  rsqrt: op<Unary>('rsqrt'),
  selu: op<Unary>('selu'),
  sigmoid: op<Unary>('sigmoid'),
  sign: op<Unary>('sign'),
  sin: op<Unary>('sin'),
  sinh: op<Unary>('sinh'),
  sqrt: op<Unary>('sqrt'),
  tan: op<Unary>('tan'),
  tanh: op<Unary>('tanh'),
  elu: op<Unary>('elu'),
  elu_backward:
    op<[dy: Tensor, alpha: number, scale: number, inputScale: number, isResult: boolean, y: Tensor]>('elu_backward'),
  softplus: op<Unary>('softplus'),
  leaky_relu: op<[x: Tensor, slope: number]>('leaky_relu'),
  clamp: op<[x: Tensor, min: number, max: number]>('clamp'),
  gelu: op<Unary>('gelu'),
  gelu_backward: op<[dy: Tensor, x: Tensor]>('gelu_backward'),
  zeros_like: op<Unary>('zeros_like'),
  ones_like: op<Unary>('ones_like'),
  alias: op<Unary>('alias'),
  clone: op<Unary>('clone'),

  add: op<Binary>('add.Tensor'),
  sub: op<Binary>('sub.Tensor'),
  mul: op<Binary>('mul.Tensor'),
  div: op<Binary>('div.Tensor'),
  div_mode: op<[a: Tensor, b: Tensor, mode: 'floor']>('div.Tensor_mode'),
  pow: op<Binary>('pow.Tensor_Tensor'),
  remainder: op<Binary>('remainder.Tensor'),
  atan2: op<Binary>('atan2'),
  maximum: op<Binary>('maximum'),
  minimum: op<Binary>('minimum'),
  prelu: op<Binary>('prelu'),
  eq: op<Binary>('eq.Tensor'),
  ne: op<Binary>('ne.Tensor'),
  gt: op<Binary>('gt.Tensor'),
  ge: op<Binary>('ge.Tensor'),
  lt: op<Binary>('lt.Tensor'),
  le: op<Binary>('le.Tensor'),
  logical_and: op<Binary>('logical_and'),
  logical_or: op<Binary>('logical_or'),
  bitwise_and: op<Binary>('bitwise_and.Tensor'),
  where: op<[condition: Tensor, a: Tensor, b: Tensor]>('where.self'),
  where_scalar: op<[condition: Tensor, a: number, b: number]>('where.Scalar'),
  where_scalar_other: op<[condition: Tensor, a: Tensor, b: number]>('where.ScalarOther'),
  add_: op<Binary>('add_.Tensor'),
  mul_scalar: op<[x: Tensor, factor: number]>('mul.Scalar'),
  mul_scalar_: op<[x: Tensor, factor: number]>('mul_.Scalar'),
  mul_: op<Binary>('mul_.Tensor'),
  add_scalar: op<[x: Tensor, term: number]>('add.Scalar'),
  ge_scalar: op<[x: Tensor, bound: number]>('ge.Scalar'),
  gt_scalar: op<[x: Tensor, bound: number]>('gt.Scalar'),
  lt_scalar: op<[x: Tensor, bound: number]>('lt.Scalar'),
  bitwise_xor_scalar: op<[x: Tensor, value: number]>('bitwise_xor.Scalar'),
  bitwise_xor_: op<Binary>('bitwise_xor_.Tensor'),
  bitwise_and_scalar_: op<[x: Tensor, value: number]>('bitwise_and_.Scalar'),
  bitwise_right_shift: op<[x: Tensor, bits: number]>('bitwise_right_shift.Tensor_Scalar'),
  exp_: op<Unary>('exp_'),

  mm: op<Binary>('mm'),
  bmm: op<Binary>('bmm'),
  matmul: op<Binary>('matmul'),
  addmm: op<[bias: Tensor, a: Tensor, b: Tensor]>('addmm'),
  baddbmm: op<[bias: Tensor, a: Tensor, b: Tensor, beta: number, alpha: number]>('baddbmm'),
  einsum: op<[equation: string, tensors: readonly Tensor[]]>('einsum'),

  sum: op<[x: Tensor, dims: Ints, keepDims: boolean, dtype?: ScalarType]>('sum.dim_IntList'),
  mean: op<[x: Tensor, dims: Ints, keepDims: boolean, dtype: ScalarType]>('mean.dim'),
  prod: op<[x: Tensor, dim: number, keepDims: boolean]>('prod.dim_int'),
  amax: op<Reduce>('amax'),
  amin: op<Reduce>('amin'),
  all: op<Reduce>('all.dims'),
  any: op<Reduce>('any.dims'),
  argmax: op<[x: Tensor, dim: number]>('argmax'),
  argmin: op<[x: Tensor, dim: number]>('argmin'),
  cumsum: op<[x: Tensor, dim: number]>('cumsum'),
  cumprod: op<[x: Tensor, dim: number]>('cumprod'),
  softmax: op<[x: Tensor, dim: number, halfToFloat: boolean]>('_softmax'),
  softmax_backward: op<[dy: Tensor, y: Tensor, dim: number, dtype: ScalarType]>('_softmax_backward_data'),
  logsumexp: op<Reduce>('logsumexp'),
  log_softmax: op<[x: Tensor, dim: number, halfToFloat: boolean]>('_log_softmax'),
  topk: op<[x: Tensor, k: number, dim: number, largest: boolean, sorted: boolean], [values: Tensor, indices: Tensor]>(
    'topk',
  ),

  to: op<[x: Tensor, dtype: ScalarType]>('to.dtype'),
  view: op<[x: Tensor, shape: Ints]>('view'),
  reshape: op<[x: Tensor, shape: Ints]>('reshape'),
  permute: op<[x: Tensor, dims: Ints]>('permute'),
  transpose: op<[x: Tensor, a: number, b: number]>('transpose.int'),
  contiguous: op<Unary>('contiguous'),
  expand: op<[x: Tensor, shape: Ints]>('expand'),
  unsqueeze: op<[x: Tensor, dim: number]>('unsqueeze'),
  slice: op<[x: Tensor, dim: number, start: number, end: number, step: number]>('slice.Tensor'),
  cat: op<[tensors: readonly Tensor[], dim: number]>('cat'),
  stack: op<[tensors: readonly Tensor[], dim: number]>('stack'),
  unbind: op<[x: Tensor, dim: number], Tensor[]>('unbind.int'),
  split: op<[x: Tensor, sizes: Ints, dim: number], Tensor[]>('split_with_sizes'),
  repeat: op<[x: Tensor, times: Ints]>('repeat'),
  flip: op<[x: Tensor, dims: Ints]>('flip'),
  constant_pad: op<[x: Tensor, pads: Ints, value: number]>('constant_pad_nd'),
  diag_embed: op<Unary>('diag_embed'),

  empty: op<[shape: Ints, dtype: ScalarType, layout: null, device: string]>('empty.memory_format'),
  full: op<[shape: Ints, value: number | boolean, dtype: ScalarType, layout: null, device: string]>('full'),
  arange:
    op<[start: number, end: number, step: number, dtype: ScalarType, layout: null, device: string]>(
      'arange.start_step',
    ),
  linspace:
    op<[start: number, end: number, steps: number, dtype: ScalarType, layout: null, device: string]>('linspace'),
  index_select: op<[x: Tensor, dim: number, index: Tensor]>('index_select'),
  gather: op<[x: Tensor, dim: number, index: Tensor]>('gather'),
  index: op<[x: Tensor, indices: readonly Tensor[]]>('index.Tensor'),
  index_put: op<[x: Tensor, indices: readonly Tensor[], values: Tensor, accumulate: boolean]>('index_put'),
  index_add: op<[x: Tensor, dim: number, index: Tensor, source: Tensor]>('index_add'),
  scatter_add_: op<[x: Tensor, dim: number, index: Tensor, source: Tensor]>('scatter_add_'),
  searchsorted: op<[sorted: Tensor, values: Tensor, int32: boolean, right: boolean]>('searchsorted.Tensor'),
  bincount: op<[x: Tensor, weights: Maybe, size: number]>('bincount'),
  multinomial: op<[probabilities: Tensor, count: number, replacement: boolean, seed: number]>('multinomial'),

  // Of [batch, length, heads, width], without a mask; the generator of the device is drawn from.
  flash_attention: op<
    [
      q: Tensor,
      k: Tensor,
      v: Tensor,
      startsQ: null,
      startsK: null,
      longestQ: number,
      longestK: number,
      rate: number,
      causal: boolean,
      debug: boolean,
    ],
    [out: Tensor, logSums: Tensor, random: Tensor, ...unused: Tensor[]]
  >('_flash_attention_forward'),
  flash_attention_backward: op<
    [
      dy: Tensor,
      q: Tensor,
      k: Tensor,
      v: Tensor,
      out: Tensor,
      logSums: Tensor,
      startsQ: null,
      startsK: null,
      longestQ: number,
      longestK: number,
      rate: number,
      causal: boolean,
      random: Tensor,
      unused: Tensor,
    ],
    [dq: Tensor, dk: Tensor, dv: Tensor]
  >('_flash_attention_backward'),

  layer_norm: op<
    [x: Tensor, shape: Ints, weight: Tensor, bias: Tensor, epsilon: number],
    [y: Tensor, mean: Tensor, rstd: Tensor]
  >('native_layer_norm'),
  layer_norm_backward: op<
    [
      dy: Tensor,
      x: Tensor,
      shape: Ints,
      mean: Tensor,
      rstd: Tensor,
      weight: Tensor,
      bias: Maybe,
      mask: readonly boolean[],
    ],
    [dx: Tensor, dWeight: Tensor, dBias: Tensor]
  >('native_layer_norm_backward'),
  embedding_backward:
    op<[dy: Tensor, ids: Tensor, rows: number, padding: number, scaled: boolean]>('embedding_dense_backward'),
  nll_loss: op<
    [logProbabilities: Tensor, labels: Tensor, weight: null, reduction: number, ignore: number],
    [loss: Tensor, totalWeight: Tensor]
  >('nll_loss_forward'),
  fused_adamw_: op<
    [
      parameters: readonly Tensor[],
      gradients: readonly Tensor[],
      means: readonly Tensor[],
      squares: readonly Tensor[],
      maxima: readonly Tensor[],
      steps: readonly Tensor[],
      rate: number,
      beta1: number,
      beta2: number,
      decay: number,
      epsilon: number,
      amsgrad: boolean,
      maximize: boolean,
      scale: null,
      stop: Maybe,
    ],
    undefined
  >('_fused_adamw_'),
  foreach_norm: op<[tensors: readonly Tensor[], order: number], Tensor[]>('_foreach_norm.Scalar'),
  foreach_mul_: op<[tensors: readonly Tensor[], factor: number], undefined>('_foreach_mul_.Scalar'),
  vector_norm: op<[x: Tensor, order: number]>('linalg_vector_norm'),
} as const;

/**
 * Operators of our own (`native/*.cc`; on a GPU `gpu-operators.ts`): loops that ATen has none for, or only as several
 * passes over memory.
 */
export const ours = {
  dropout: op<[x: Tensor, rate: number, key: number]>('run_pipeline::dropout'),
  bias_gelu: op<[x: Tensor, bias: Tensor]>('run_pipeline::bias_gelu'),
  bias_gelu_backward: op<[dy: Tensor, x: Tensor, bias: Tensor], [dx: Tensor, dBias: Tensor]>(
    'run_pipeline::bias_gelu_backward',
  ),
  residual_norm: op<
    [
      x: Tensor,
      bias: Tensor,
      residual: Tensor,
      weight: Tensor,
      shift: Tensor,
      epsilon: number,
      rate: number,
      key: number,
    ],
    [y: Tensor, sum: Tensor, mean: Tensor, rstd: Tensor]
  >('run_pipeline::residual_norm'),
  residual_norm_backward: op<
    [dy: Tensor, sum: Tensor, mean: Tensor, rstd: Tensor, weight: Tensor, rate: number, key: number],
    [dx: Tensor, dBias: Tensor, dResidual: Tensor, dWeight: Tensor, dShift: Tensor]
  >('run_pipeline::residual_norm_backward'),
  attention: op<
    [projections: Tensor, bias: Maybe, batch: number, heads: number, rate: number, key: number],
    [out: Tensor, logSums: Tensor]
  >('run_pipeline::attention'),
  attention_backward: op<
    [
      dy: Tensor,
      projections: Tensor,
      logSums: Tensor,
      bias: Maybe,
      batch: number,
      heads: number,
      rate: number,
      key: number,
    ]
  >('run_pipeline::attention_backward'),
} as const;
