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
}

/** Update `parameter` and its moments in place (Loshchilov and Hutter 2019; order of operations as in PyTorch's AdamW). */
export function adamW(parameter: Variable, mean: Variable, squares: Variable, gradient: Tensor, options: AdamWOptions): void {
  if (hasKernel('RpAdamW')) {
    runFused('RpAdamW', { parameter, mean, square: squares, gradient }, { ...options });
    return;
  }
  const { learning_rate, beta1, beta2, epsilon, weight_decay, step } = options;
  const [p, m, v] = tidy(() => {
    const nextMean = add(mul(mean, beta1), mul(gradient, 1 - beta1));
    const nextSquares = add(mul(squares, beta2), mul(square(gradient), 1 - beta2));
    const denominator = add(div(sqrt(nextSquares), Math.sqrt(1 - beta2 ** step)), epsilon);
    const change = div(mul(nextMean, learning_rate / (1 - beta1 ** step)), denominator);
    return [sub(mul(parameter, 1 - learning_rate * weight_decay), change), nextMean, nextSquares] as const;
  }) as unknown as [Tensor, Tensor, Tensor];
  parameter.assign(p);
  mean.assign(m);
  squares.assign(v);
  for (const tensor of [p, m, v]) tensor.dispose();
}
