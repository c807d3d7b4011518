import { add, dispose, tidy, variableGrads, type Scalar, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import type { Optimizer } from './optimizer.ts';

/** What came of one optimizer step; `skipped` when the loss or a gradient was not finite and nothing was changed. */
export interface StepResult {
  readonly loss: number;
  readonly skipped: boolean;
}

/**
 * One optimizer step over micro-batches, each given as a function to its share of the loss; gradients are summed, so the
 * shares must be divided by the whole step's count of labels.
 */
export function trainStep(optimizer: Optimizer, microBatches: readonly (() => Scalar)[], learning_rate: number): StepResult {
  const variables = [...optimizer.parameters.values()];
  let total = 0;
  let gradients = new Map<string, Tensor>();
  for (const lossOf of microBatches) {
    const { value, grads } = variableGrads(lossOf, variables);
    total += value.dataSync()[0] ?? Number.NaN;
    value.dispose();
    gradients = accumulate(gradients, grads, optimizer.parameters);
  }
  const skipped = !Number.isFinite(total) || !allFinite(gradients);
  if (!skipped) optimizer.update(gradients, learning_rate);
  dispose([...gradients.values()]);
  return { loss: total, skipped };
}

function accumulate(sum: Map<string, Tensor>, grads: Readonly<Record<string, Tensor | null>>, parameters: ReadonlyMap<string, Variable>): Map<string, Tensor> {
  for (const [name, parameter] of parameters) {
    const gradient = grads[parameter.name];
    if (gradient === undefined || gradient === null) continue;
    const before = sum.get(name);
    if (before === undefined) {
      sum.set(name, gradient);
    } else {
      sum.set(name, tidy(() => add(before, gradient)));
      dispose([before, gradient]);
    }
  }
  return sum;
}

/** A not-finite number anywhere in the backward pass reaches the bias of the first layer norm, so its gradient tells for all. */
function allFinite(gradients: ReadonlyMap<string, Tensor>): boolean {
  const witness = gradients.get('roberta.embeddings.LayerNorm.bias');
  return witness === undefined || witness.dataSync().every((value) => Number.isFinite(value));
}
