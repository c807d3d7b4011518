import type { Diagnostic } from './diagnostic.ts';

/**
 * What to say of a data set without rows, with what its stage counted: what it dropped first.
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
      ? 'Look at what was dropped and why, and change the settings or the input.'
      : 'Look at its inputs, and at what it said: `run-pipeline logs`.',
  };
}
