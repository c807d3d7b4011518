import { aten, ours, scalar } from '../aten.ts';
import { FamilyBuilder } from '../register.ts';

export const biasGeluKernels = new FamilyBuilder()
  .add('RpBiasGelu', (k) => {
    const [x, bias] = [k.in('x'), k.in('bias')];
    if (k.owns(ours.bias_gelu)) return k.call(ours.bias_gelu, x, bias);
    return k.call(aten.gelu, k.call(aten.add, x, k.as('bias', k.type('x'))));
  })
  .add('RpBiasGeluGrad', (k) => {
    const [dy, x, bias] = [k.as('dy', k.type('x')), k.in('x'), k.in('bias')];
    if (k.owns(ours.bias_gelu_backward)) return k.call(ours.bias_gelu_backward, dy, x, bias);
    const dx = k.call(aten.gelu_backward, dy, k.call(aten.add, x, k.as('bias', k.type('x'))));
    return [dx, k.call(aten.sum, dx, [0], false, scalar.float32)];
  }).kernels;
