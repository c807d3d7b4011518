import type { Diagnostic } from './diagnostic.ts';

/** What to say of a data set without rows, with what its stage counted: reasons for leaving out first. */
export function emptyOutput(
  stage: string,
  port: string,
  contract: string,
  metrics: Readonly<Record<string, number>>,
): Diagnostic {
  const isDrop = (name: string): boolean => name.startsWith('dropped.');
  const counted = Object.entries(metrics)
    .filter(([, value]) => value > 0)
    .sort(([a, x], [b, y]) => Number(isDrop(b)) - Number(isDrop(a)) || y - x)
    .slice(0, 8)
    .map(([name, value]) => `${name} ${value.toLocaleString('en')}`);
  return {
    code: 'contract-broken',
    stage,
    message:
      `${stage}: output "${port}" is empty; its contract "${contract}" promises ` +
      `rows${counted.length > 0 ? `. It counted: ${counted.join(', ')}` : ''}`,
    help: counted.some(isDrop)
      ? 'Look at what was dropped and why, and change the settings or the input.'
      : 'Look at its inputs, and at what it said: `run-pipeline logs`.',
  };
}
