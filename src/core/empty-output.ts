import type { Diagnostic } from './diagnostic.ts';

/**
 * The failure for a dataset without rows, with the stage's counters: what it dropped comes first.
 * @param drops names of the metrics that count what was dropped; see `ActionOutcome`
 */
export function emptyOutput(
  stage: string,
  port: string,
  contract: string,
  metrics: Readonly<Record<string, number>>,
  drops: Iterable<string> = [],
): Diagnostic {
  const isDrop = new Set(drops);
  const counts = Object.entries(metrics).filter(([, value]) => value > 0);
  const counted = counts
    .sort(([a, x], [b, y]) => Number(isDrop.has(b)) - Number(isDrop.has(a)) || y - x)
    .slice(0, 8)
    .map(([name, value]) => `${name} ${value.toLocaleString('en')}`);
  return {
    code: 'contract-broken',
    stage,
    message:
      `${stage}: output "${port}" is empty; its contract "${contract}" promises ` +
      `rows${counted.length > 0 ? `. It counted: ${counted.join(', ')}` : ''}`,
    help: counts.some(([name]) => isDrop.has(name))
      ? 'Check what was dropped and why, then change the settings or the input.'
      : 'Check its inputs and its log (`run-pipeline logs`).',
  };
}
