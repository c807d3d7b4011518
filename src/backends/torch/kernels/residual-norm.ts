import { aten, ours, scalar } from '../aten.ts';
import { FamilyBuilder } from '../register.ts';
import { drop } from './dropout.ts';

interface ResidualNormAttrs {
  epsilon: number;
  rate: number;
  key: number;
}

export const residualNormKernels = new FamilyBuilder()
  .add<ResidualNormAttrs>('RpResidualNorm', (k) => {
    const { epsilon, rate, key } = k.attrs;
    const [x, residual, bias, weight, shift] = [
      k.as('x', k.heldType),
      k.as('residual', k.heldType),
      k.in('bias'),
      k.in('weight'),
      k.in('shift'),
    ];
    if (k.owns(ours.residual_norm))
      return k.call(ours.residual_norm, x, bias, residual, weight, shift, epsilon, rate, key);
    const sum = k.call(aten.add, drop(k, k.call(aten.add, x, k.as('bias', k.heldType)), rate, key), residual);
    const [y, mean, rstd] = k.call(
      aten.layer_norm,
      sum,
      k.shape('weight'),
      k.as('weight', k.heldType),
      k.as('shift', k.heldType),
      epsilon,
    );
    return [y, sum, mean, rstd];
  })
  .add<ResidualNormAttrs>('RpResidualNormGrad', (k) => {
    const { rate, key } = k.attrs;
    const [dy, sum, mean, rstd, weight] = [
      k.as('dy', k.type('sum')),
      k.in('sum'),
      k.in('mean'),
      k.in('rstd'),
      k.in('weight'),
    ];
    if (k.owns(ours.residual_norm_backward))
      return k.call(ours.residual_norm_backward, dy, sum, mean, rstd, weight, rate, key);
    const gain = k.as('weight', k.type('sum'));
    const [dSum, dWeight, dShift] = k.call(
      aten.layer_norm_backward,
      dy,
      sum,
      k.shape('weight'),
      mean,
      rstd,
      gain,
      gain,
      [true, true, true],
    );
    const dx = rate === 0 ? k.call(aten.alias, dSum) : drop(k, dSum, rate, key);
    const float = (x: typeof dSum) => k.call(aten.to, x, scalar.float32);
    return [dx, k.call(aten.sum, dx, [0], false, scalar.float32), dSum, float(dWeight), float(dShift)];
  }).kernels;
