import { add, div, mul, sqrt, square, sub, tidy, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { hasKernel, runFused } from './kernel.ts';

export interface AdamWOptions {
  readonly learning_rate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weight_decay: number;
  /** Number of this update, from 1, for bias correction. */
  readonly step: number;
  /** What gradients are multiplied by first: less than 1 to clip them. */
  readonly gradient_scale: number;
}

/** A parameter with its moments and its gradient. */
export interface AdamWItem {
  readonly parameter: Variable;
  readonly mean: Variable;
  readonly squares: Variable;
  readonly gradient: Tensor;
}

/** Whether the current backend can leave an update out by what it has computed, so that nobody has to wait for that. */
export function decidesUpdates(): boolean {
  return hasKernel('RpAdamWIfFinite');
}

/**
 * Update parameters and their moments in place, all at once (Loshchilov and Hutter 2019; order of operations as in
 * PyTorch's AdamW). Given `ifFinite`, on a backend that {@link decidesUpdates}, nothing changes unless all of its
 * elements are finite.
 */
export function adamW(items: readonly AdamWItem[], options: AdamWOptions, ifFinite?: Tensor): void {
  if (items.length === 0) return;
  const list = (part: keyof AdamWItem) => items.map((item) => item[part]);
  const tensors = () => [...list('parameter'), ...list('mean'), ...list('squares'), ...list('gradient')];
  if (ifFinite !== undefined) {
    runFused('RpAdamWIfFinite', [...tensors(), ifFinite], { ...options });
  } else if (hasKernel('RpAdamW')) {
    runFused('RpAdamW', tensors(), { ...options });
  } else {
    for (const item of items) update(item, options);
  }
}

function update({ parameter, mean, squares, gradient }: AdamWItem, options: AdamWOptions): void {
  const { learning_rate, beta1, beta2, epsilon, weight_decay, step, gradient_scale } = options;
  const [p, m, v] = tidy(() => {
    const scaled = gradient_scale === 1 ? gradient : mul(gradient, gradient_scale);
    const nextMean = add(mul(mean, beta1), mul(scaled, 1 - beta1));
    const nextSquares = add(mul(squares, beta2), mul(square(scaled), 1 - beta2));
    const denominator = add(div(sqrt(nextSquares), Math.sqrt(1 - beta2 ** step)), epsilon);
    const change = div(mul(nextMean, learning_rate / (1 - beta1 ** step)), denominator);
    return [sub(mul(parameter, 1 - learning_rate * weight_decay), change), nextMean, nextSquares] as const;
  }) as unknown as [Tensor, Tensor, Tensor];
  parameter.assign(p);
  mean.assign(m);
  squares.assign(v);
  for (const tensor of [p, m, v]) tensor.dispose();
}
