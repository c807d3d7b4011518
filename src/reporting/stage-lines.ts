import type { Change, Freshness, RunEvent, RunSummary } from '../core/event.ts';
import { bytes, count, duration, metric, plural } from './format.ts';

/**
 * The result of a stage in one line, without its state: time, rows and bytes per output, and its metrics, or the first
 * few of them.
 */
export function outcome(event: Extract<RunEvent, { type: 'stage-end' }>, metricsAtMost = Infinity): string {
  const parts: string[] = [];
  if (event.state === 'ran') parts.push(duration(event.durationMs));
  const outputs = Object.entries(event.outputs).filter(([, { rows }]) => rows !== 0);
  for (const [port, output] of outputs) {
    const size =
      output.rows === undefined
        ? bytes(output.bytes)
        : `${output.rows === 1 ? '1 row' : `${count(output.rows)} rows`}, ${bytes(output.bytes)}`;
    parts.push(outputs.length > 1 ? `${port}: ${size}` : size);
  }
  const metrics = Object.entries(event.metrics)
    .slice(0, metricsAtMost)
    .map(([name, value]) => `${name} ${metric(value)}`);
  if (metrics.length > 0) parts.push(metrics.join(', '));
  return parts.join(' · ');
}

/** Why a stage runs, in a few words: `config.rate changed`. */
export function reason(freshness: Freshness): string {
  switch (freshness.kind) {
    case 'hit':
      return freshness.savedMs > 0 ? `cached, saves ${duration(freshness.savedMs)}` : 'cached';
    case 'pending':
      return `after ${freshness.on.join(', ')}`;
    case 'miss':
      return missReason(freshness.changed);
  }
}

const firstRun = 'first run';

const isNew = ({ before, after }: Change): boolean => before === undefined && after === undefined;

/** Nothing changed, but the store no longer holds the result of every action. */
const isLost = ({ before, after }: Change): boolean =>
  before === undefined && after?.endsWith('not in the store') === true;

function missReason(changed: readonly Change[]): string {
  if (changed.every(isNew)) return firstRun;
  return changed
    .map((change) =>
      isNew(change) ? change.ingredient : `${change.ingredient} ${isLost(change) ? 'missing' : 'changed'}`,
    )
    .join(', ');
}

/** The same for a log: `stale: config.rate changed`. */
export function staleness(freshness: Freshness): string {
  const text = reason(freshness);
  return text === firstRun ? text : `stale: ${text}`;
}

export function ending({ signal }: Extract<RunEvent, { type: 'run-ending' }>): string {
  return `${signal}: stopping running actions; a second signal stops them at once`;
}

/** The last line of a run. */
export function summary(event: RunSummary): string {
  return `${event.state === 'interrupted' ? 'interrupted; finished work is kept. ' : ''}${tally(event)}`;
}

/** Number of stages per state. */
export function tally(event: RunSummary): string {
  const parts = [
    `${event.cached} cached`,
    `${event.ran} ran${event.ran > 0 ? ` in ${duration(event.durationMs)}` : ''}`,
  ];
  if (event.failed > 0) parts.push(`${event.failed} failed`);
  if (event.skipped > 0) parts.push(`${event.skipped} skipped`);
  if (event.warnings > 0) parts.push(plural(event.warnings, 'warning'));
  if (event.savedMs >= 1000) parts.push(`saved ${duration(event.savedMs)}`);
  return parts.join(', ');
}
