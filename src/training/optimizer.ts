import { tidy, variable, zeros, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { adamW, type AdamWItem } from '../ops/index.ts';
import type { Parameters } from '../model/parameters.ts';

export interface AdamWConfig {
  readonly adam_beta1: number;
  readonly adam_beta2: number;
  readonly adam_epsilon: number;
  readonly weight_decay: number;
}

/** AdamW over named parameters. Biases and layer norms are not decayed, as in BERT and RoBERTa. */
export class Optimizer {
  readonly config: AdamWConfig;
  readonly parameters: Parameters;
  readonly means: ReadonlyMap<string, Variable>;
  readonly squares: ReadonlyMap<string, Variable>;
  /** Number of updates so far, for bias correction. */
  updates = 0;

  constructor(parameters: Parameters, config: AdamWConfig) {
    this.config = config;
    this.parameters = parameters;
    this.means = zerosLike(parameters);
    this.squares = zerosLike(parameters);
  }

  /**
   * Apply gradients by parameter name, multiplied by `gradient_scale`; a parameter without one is not changed.
   * `ifFinite` is as for {@link adamW}: an update that it turns out to have stopped must be given back, by
   * {@link undone}.
   */
  update(gradients: ReadonlyMap<string, Tensor>, learning_rate: number, gradient_scale = 1, ifFinite?: Tensor): void {
    this.updates++;
    const { adam_beta1: beta1, adam_beta2: beta2, adam_epsilon: epsilon, weight_decay } = this.config;
    const options = { learning_rate, beta1, beta2, epsilon, step: this.updates, gradient_scale };
    const decayed: AdamWItem[] = [];
    const others: AdamWItem[] = [];
    for (const [name, parameter] of this.parameters) {
      const [mean, squares, gradient] = [this.means.get(name), this.squares.get(name), gradients.get(name)];
      if (gradient === undefined || mean === undefined || squares === undefined) continue;
      (isDecayed(name) ? decayed : others).push({ parameter, mean, squares, gradient });
    }
    adamW(decayed, { ...options, weight_decay }, ifFinite);
    adamW(others, { ...options, weight_decay: 0 }, ifFinite);
  }

  /** The latest update did not take place. */
  undone(): void {
    this.updates--;
  }

  dispose(): void {
    for (const moment of [...this.means.values(), ...this.squares.values()]) moment.dispose();
  }
}

function isDecayed(name: string): boolean {
  return !name.endsWith('.bias') && !/LayerNorm|layer_norm/.test(name);
}

function zerosLike(parameters: Parameters): Map<string, Variable> {
  return new Map([...parameters].map(([name, parameter]) => [name, tidy(() => variable(zeros(parameter.shape)))]));
}
