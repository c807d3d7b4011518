import type { ConfigProblem } from '../../src/core/stage.ts';

export function check({ window, step }: { readonly window: number; readonly step: number }): ConfigProblem[] {
  if (step <= window) return [];
  return [{ property: 'step', message: `A step of ${step} moves a window of ${window} past snapshots that no round would see; it can be at most ${window}.` }];
}
