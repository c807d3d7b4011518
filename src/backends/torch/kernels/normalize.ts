import { aten } from '../aten.ts';
import { FamilyBuilder } from '../register.ts';

export const normalizeKernels = new FamilyBuilder().add<{ varianceEpsilon: number }>('FusedBatchNorm', (k) => {
  const rstd = k.call(aten.rsqrt, k.call(aten.add_scalar, k.in('variance'), k.attrs.varianceEpsilon));
  const gain = k.has('scale') ? k.call(aten.mul, rstd, k.in('scale')) : rstd;
  const scaled = k.call(aten.mul, k.call(aten.sub, k.in('x'), k.in('mean')), gain);
  return k.has('offset') ? k.call(aten.add, scaled, k.in('offset')) : scaled;
}).kernels;
