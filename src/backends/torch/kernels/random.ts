import { aten, scalar } from '../aten.ts';
import { FamilyBuilder } from '../register.ts';

export const randomKernels = new FamilyBuilder().add<{ numSamples: number; seed: number; normalized: boolean }>(
  'Multinomial',
  (k) => {
    const { numSamples, seed, normalized } = k.attrs;
    const probabilities = normalized
      ? k.as('logits', scalar.float32)
      : k.call(aten.softmax, k.as('logits', scalar.float32), -1, false);
    // tfjs draws its seeds from Math.random, as fractions.
    return k.call(
      aten.multinomial,
      probabilities,
      numSamples,
      true,
      Math.floor(Math.abs(seed) * 0x100000000) % 0x100000000,
    );
  },
).kernels;
