import { aten, type Op } from '../aten.ts';
import type { Handle } from '../bridge.ts';
import { scalarOf } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';
import type { DataType } from '@tensorflow/tfjs-core';

const unary = new FamilyBuilder();

/** Functions of one tensor that ATen has under the same meaning. */
const direct = {
  Abs: aten.abs,
  Acos: aten.acos,
  Acosh: aten.acosh,
  Asin: aten.asin,
  Asinh: aten.asinh,
  Atan: aten.atan,
  Atanh: aten.atanh,
  Ceil: aten.ceil,
  Cos: aten.cos,
  Cosh: aten.cosh,
  Elu: aten.elu,
  Erf: aten.erf,
  Exp: aten.exp,
  Expm1: aten.expm1,
  Floor: aten.floor,
  IsFinite: aten.isfinite,
  IsInf: aten.isinf,
  IsNan: aten.isnan,
  Log: aten.log,
  Log1p: aten.log1p,
  LogicalNot: aten.logical_not,
  Neg: aten.neg,
  OnesLike: aten.ones_like,
  Reciprocal: aten.reciprocal,
  Relu: aten.relu,
  Relu6: aten.relu6,
  Round: aten.round,
  Rsqrt: aten.rsqrt,
  Selu: aten.selu,
  Sigmoid: aten.sigmoid,
  Sign: aten.sign,
  Sin: aten.sin,
  Sinh: aten.sinh,
  Softplus: aten.softplus,
  Sqrt: aten.sqrt,
  Tan: aten.tan,
  Tanh: aten.tanh,
  ZerosLike: aten.zeros_like,
} as const satisfies Record<string, Op<[x: Handle]>>;
for (const [name, op] of Object.entries(direct)) unary.add(name as keyof typeof direct, (k) => k.call(op, k.in('x')));

unary
  .add('Square', (k) => k.call(aten.mul, k.in('x'), k.in('x')))
  .add<{ alpha: number }>('LeakyRelu', (k) => k.call(aten.leaky_relu, k.in('x'), k.attrs.alpha))
  .add<{ clipValueMin: number; clipValueMax: number }>('ClipByValue', (k) =>
    k.call(aten.clamp, k.in('x'), k.attrs.clipValueMin, k.attrs.clipValueMax),
  )
  .add('EluGrad', (k) => k.call(aten.elu_backward, k.in('dy'), 1, 1, 1, true, k.in('y')))
  // 1 above zero, alpha below, and NaN stays.
  .add<{ alpha: number }>('Step', (k) => {
    const x = k.in('x');
    const step = k.call(aten.where_scalar, k.call(aten.gt_scalar, x, 0), 1, k.attrs.alpha);
    return k.call(aten.where, k.call(aten.isnan, x), x, k.call(aten.to, step, k.type('x')));
  })
  .add<{ dtype: DataType }>('Cast', (k) => {
    const { dtype } = k.attrs;
    // Held in bfloat16 or not, a float32 tensor is one already.
    if (dtype === k.info('x').dtype) return k.call(aten.alias, k.in('x'));
    return dtype === 'bool'
      ? k.call(aten.logical_not, k.call(aten.logical_not, k.in('x')))
      : k.call(aten.to, k.in('x'), scalarOf(dtype));
  });

export const unaryKernels = unary.kernels;
