import type { ConfigProblem } from '../../src/core/stage.ts';

export function check({
  window,
  step,
}: {
  readonly window: number | { readonly snapshots?: number };
  readonly step: number;
}): ConfigProblem[] {
  const snapshots = typeof window === 'number' ? window : (window.snapshots ?? Infinity);
  if (step <= snapshots) return [];
  return [
    {
      property: 'step',
      message:
        `A step of ${step} would move a window of ${snapshots} past snapshots that no round sees; it can be at ` +
        `most ${snapshots}.`,
    },
  ];
}
