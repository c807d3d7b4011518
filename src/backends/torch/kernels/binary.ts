import type { Handle } from '../bridge.ts';
import { aten, type Op } from '../aten.ts';
import { FamilyBuilder } from '../register.ts';

const binary = new FamilyBuilder();

/** Functions of two tensors, with the broadcasting that tfjs and ATen share. */
const direct = {
  Add: aten.add,
  Sub: aten.sub,
  Multiply: aten.mul,
  RealDiv: aten.div,
  Pow: aten.pow,
  Mod: aten.remainder,
  Atan2: aten.atan2,
  Maximum: aten.maximum,
  Minimum: aten.minimum,
  BitwiseAnd: aten.bitwise_and,
  Equal: aten.eq,
  NotEqual: aten.ne,
  Greater: aten.gt,
  GreaterEqual: aten.ge,
  Less: aten.lt,
  LessEqual: aten.le,
  LogicalAnd: aten.logical_and,
  LogicalOr: aten.logical_or,
} as const satisfies Record<string, Op<[a: Handle, b: Handle]>>;
for (const [name, op] of Object.entries(direct))
  binary.add(name as keyof typeof direct, (k) => k.call(op, k.in('a'), k.in('b')));

binary
  .add('FloorDiv', (k) => k.call(aten.div_mode, k.in('a'), k.in('b'), 'floor'))
  .add('SquaredDifference', (k) => {
    const difference = k.call(aten.sub, k.in('a'), k.in('b'));
    return k.call(aten.mul, difference, difference);
  })
  .add('AddN', (k) => {
    const [first, second, ...rest] = k.list();
    if (first === undefined) throw new TypeError('there is nothing to add');
    if (second === undefined) return k.call(aten.alias, first);
    return rest.reduce((sum, each) => k.call(aten.add_, sum, each), k.call(aten.add, first, second));
  })
  // x above zero, alpha·x below.
  .add('Prelu', (k) =>
    k.call(aten.where, k.call(aten.gt_scalar, k.in('x'), 0), k.in('x'), k.call(aten.mul, k.in('x'), k.in('alpha'))),
  )
  .add('Select', (k) => k.call(aten.where, k.in('condition'), k.in('t'), k.in('e')));

export const binaryKernels = binary.kernels;
