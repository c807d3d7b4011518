import type { Handle } from '../bridge.ts';
import { aten, scalar } from '../aten.ts';
import type { KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';

interface MatMulAttrs {
  transposeA: boolean;
  transposeB: boolean;
}
interface FusedMatMulAttrs extends MatMulAttrs {
  activation?: 'linear' | 'relu' | 'prelu' | 'elu' | 'relu6' | 'leakyrelu' | 'sigmoid';
  leakyreluAlpha?: number;
}

export const matmulKernels = new FamilyBuilder()
  .add<MatMulAttrs>('BatchMatMul', product)
  .add<FusedMatMulAttrs>('_FusedMatMul', (k) => {
    const plain = product(k);
    return activate(k, k.has('bias') ? k.call(aten.add, plain, k.in('bias')) : plain);
  })
  .add<{ equation: string }>('Einsum', (k) => k.call(aten.einsum, k.attrs.equation, k.list())).kernels;

function product(k: KernelCall<MatMulAttrs>): Handle {
  const { transposeA, transposeB } = k.attrs;
  const floating = k.info('a').dtype === 'float32';
  const operand = (name: string, flip: boolean) => {
    const x = floating ? k.operand(name) : k.in(name);
    return flip ? k.call(aten.transpose, x, -2, -1) : x;
  };
  return k.call(aten.matmul, operand('a', transposeA), operand('b', transposeB));
}

function activate(k: KernelCall<FusedMatMulAttrs>, x: Handle): Handle {
  switch (k.attrs.activation ?? 'linear') {
    case 'linear':
      return x;
    case 'relu':
      return k.call(aten.relu, x);
    case 'relu6':
      return k.call(aten.relu6, x);
    case 'elu':
      return k.call(aten.elu, x);
    case 'sigmoid':
      return k.call(aten.sigmoid, x);
    case 'leakyrelu':
      return k.call(aten.leaky_relu, x, k.attrs.leakyreluAlpha ?? 0.2);
    case 'prelu':
      return k.call(
        aten.where,
        k.call(aten.gt_scalar, x, 0),
        x,
        k.call(aten.mul, x, k.as('preluActivationWeights', scalar.float32)),
      );
  }
}
