import {
  add,
  dispose,
  stack,
  tidy,
  variableGrads,
  type Scalar,
  type Tensor,
  type Variable,
} from '@tensorflow/tfjs-core';
import { decidesUpdates, globalNorm, startReading } from '../ops/index.ts';
import type { Optimizer } from './optimizer.ts';

/** The result of one optimizer step; `skipped` when the loss or a gradient was not finite and nothing changed. */
export interface StepResult {
  readonly loss: number;
  /** Norm of all gradients together, before clipping. */
  readonly gradient_norm: number;
  readonly skipped: boolean;
}

/**
 * One optimizer step over micro-batches, each given as a function to its share of the loss; gradients are summed, so
 * the shares must be divided by the whole step's count of labels. `max_grad_norm` 0 disables clipping.
 */
export function trainStep(
  optimizer: Optimizer,
  microBatches: readonly (() => Scalar)[],
  learning_rate: number,
  max_grad_norm = 0,
): StepResult {
  const variables = [...optimizer.parameters.values()];
  const losses: Tensor[] = [];
  let gradients = new Map<string, Tensor>();
  for (const lossOf of microBatches) {
    const { value, grads } = variableGrads(lossOf, variables);
    losses.push(value);
    gradients = accumulate(gradients, grads, optimizer.parameters);
  }
  const outcome = tidy(() => stack([globalNorm([...gradients.values()]), ...losses]));
  startReading(outcome);
  // If the device can decide whether to update, it does so while the host continues with the next step.
  const isAhead = max_grad_norm === 0 && decidesUpdates();
  if (isAhead) optimizer.update(gradients, learning_rate, 1, outcome);
  // The only wait of a step, for everything that it needs.
  const [gradient_norm = Number.NaN, ...values] = outcome.dataSync();
  const total = values.reduce((sum, loss) => sum + loss, 0);
  const skipped = !Number.isFinite(total) || !Number.isFinite(gradient_norm);
  if (isAhead && skipped) optimizer.undone();
  if (!isAhead && !skipped)
    optimizer.update(
      gradients,
      learning_rate,
      max_grad_norm > 0 && gradient_norm > max_grad_norm ? max_grad_norm / gradient_norm : 1,
    );
  dispose([outcome, ...losses, ...gradients.values()]);
  return { loss: total, gradient_norm, skipped };
}

function accumulate(
  sum: Map<string, Tensor>,
  grads: Readonly<Record<string, Tensor | null>>,
  parameters: ReadonlyMap<string, Variable>,
): Map<string, Tensor> {
  for (const [name, parameter] of parameters) {
    const gradient = grads[parameter.name];
    if (gradient === undefined || gradient === null) continue;
    const before = sum.get(name);
    if (before === undefined) {
      sum.set(name, gradient);
    } else {
      sum.set(
        name,
        tidy(() => add(before, gradient)),
      );
      dispose([before, gradient]);
    }
  }
  return sum;
}
