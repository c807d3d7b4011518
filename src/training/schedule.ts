/**
 * Learning rate of an update counted from 0: linear warm-up from 0 to `peak`, then linear decay to 0 at `max_steps`.
 */
export function learningRate(step: number, peak: number, warmup_steps: number, max_steps: number): number {
  if (step < warmup_steps) return (peak * (step + 1)) / warmup_steps;
  return peak * Math.max(0, (max_steps - step) / Math.max(1, max_steps - warmup_steps));
}
