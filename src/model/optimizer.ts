import { tidy, variable, zeros, type Tensor, type Variable } from '@tensorflow/tfjs-core';
import { adamW } from '../ops/index.ts';
import type { Parameters } from './parameters.ts';

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
  /** Updates made so far; what bias correction counts. */
  updates = 0;

  constructor(parameters: Parameters, config: AdamWConfig) {
    this.config = config;
    this.parameters = parameters;
    this.means = zerosLike(parameters);
    this.squares = zerosLike(parameters);
  }

  /** Apply gradients by parameter name; one that is missing counts as untouched. */
  update(gradients: ReadonlyMap<string, Tensor>, learning_rate: number): void {
    this.updates++;
    const { adam_beta1: beta1, adam_beta2: beta2, adam_epsilon: epsilon } = this.config;
    for (const [name, parameter] of this.parameters) {
      const [mean, squares, gradient] = [this.means.get(name), this.squares.get(name), gradients.get(name)];
      if (gradient === undefined || mean === undefined || squares === undefined) continue;
      const weight_decay = isDecayed(name) ? this.config.weight_decay : 0;
      adamW(parameter, mean, squares, gradient, { learning_rate, beta1, beta2, epsilon, weight_decay, step: this.updates });
    }
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
