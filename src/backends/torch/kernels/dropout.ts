import type { Handle } from '../bridge.ts';
import { aten, ours, scalar } from '../aten.ts';
import type { KernelCall } from '../kernel-call.ts';
import { FamilyBuilder } from '../register.ts';

export const dropoutKernels = new FamilyBuilder().add<{ rate: number; key: number }>('RpDropout', (k) =>
  drop(k, k.in('x'), k.attrs.rate, k.attrs.key),
).kernels;

/** Zero each element with probability `rate`, as `key` and its index say, and scale the rest. */
export function drop(k: KernelCall<unknown>, x: Handle, rate: number, key: number): Handle {
  if (rate === 0) return x;
  if (k.owns(ours.dropout)) return k.call(ours.dropout, x, rate, key);
  const kept = k.call(aten.ge_scalar, draws31(k, k.shapeOf(x), key), Math.round(rate * 0x80000000));
  return k.call(aten.where_scalar_other, kept, k.call(aten.mul_scalar, x, 1 / (1 - rate)), 0);
}

/**
 * The upper 31 bits of draw32 (src/ops/random.ts) for every index, in 32-bit arithmetic that wraps around, whose shifts
 * copy the sign.
 */
function draws31(k: KernelCall<unknown>, shape: readonly number[], key: number): Handle {
  const shifted = (x: Handle, bits: number) =>
    k.call(aten.bitwise_and_scalar_, k.call(aten.bitwise_right_shift, x, bits), 2 ** (32 - bits) - 1);
  const mix = (x: Handle, bits: number) => k.call(aten.bitwise_xor_, x, shifted(x, bits));
  const count = shape.reduce((a, b) => a * b, 1);
  const index = k.call(aten.view, k.call(aten.arange, 0, count, 1, scalar.int32, null, k.backend.device), shape);
  let x = k.call(aten.bitwise_xor_scalar, k.call(aten.mul_scalar_, index, 0x9e3779b1 | 0), key | 0);
  x = k.call(aten.mul_scalar_, mix(x, 16), 0x21f0aaad);
  x = k.call(aten.mul_scalar_, mix(x, 15), 0xd35a2d97 | 0);
  return shifted(mix(x, 15), 1);
}
