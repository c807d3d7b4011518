import { memory, tensor1d, tensor2d, tidy, variable, type Scalar, type Tensor2D } from '@tensorflow/tfjs-core';
import { afterAll, expect, test } from 'vitest';
import { openBackend } from '../../src/backends/select.ts';
import { Optimizer } from '../../src/training/optimizer.ts';
import { trainStep } from '../../src/training/train-step.ts';
import { crossEntropy, linear } from '../../src/ops/index.ts';
import { absentBackends, availableBackends } from '../rig/backends.ts';

absentBackends('steps that are skipped');
afterAll(() => openBackend('cpu'));

test.each(availableBackends)(
  'a step on $name whose loss is not finite changes nothing, and the next goes on as if it had not been',
  async (backend) => {
    await openBackend({ ...backend, threads: 1 });
    const before = memory().numTensors;
    /** The weight after steps on these inputs, and how many counted. */
    const train = (
      inputs: readonly number[],
    ): { weight: number[]; moments: number[]; updates: number; skipped: boolean[] } => {
      const weight = tidy(() => variable(tensor2d([0.1, -0.2, 0.3, 0.4], [2, 2])));
      const optimizer = new Optimizer(new Map([['dense.weight', weight]]), {
        adam_beta1: 0.9,
        adam_beta2: 0.98,
        adam_epsilon: 1e-6,
        weight_decay: 0.01,
      });
      const loss = (x: number) => (): Scalar =>
        crossEntropy(
          linear(tensor2d([x, 1, 2, -1], [2, 2]), weight as unknown as Tensor2D),
          tensor1d([0, 1], 'int32'),
          2,
        );
      const skipped = inputs.map((x) => trainStep(optimizer, [loss(1), loss(x)], 0.1).skipped);
      const found = {
        weight: [...weight.dataSync()],
        moments: [...optimizer.means.values(), ...optimizer.squares.values()].flatMap((each) => [...each.dataSync()]),
        updates: optimizer.updates,
        skipped,
      };
      optimizer.dispose();
      weight.dispose();
      return found;
    };
    const undisturbed = train([1, 3]);
    expect(undisturbed).toMatchObject({ updates: 2, skipped: [false, false] });
    expect(train([1, Number.NaN, 3])).toEqual({ ...undisturbed, skipped: [false, true, false] });
    expect(train([Infinity, 1, 3])).toEqual({ ...undisturbed, skipped: [true, false, false] });
    expect(memory().numTensors).toBe(before);
  },
);
