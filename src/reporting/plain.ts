import type { Diagnostic } from '../core/diagnostic.ts';
import type { RunEvent } from '../core/event.ts';
import { describeBackend, duration, plural } from './format.ts';
import type { Reporter } from './reporter.ts';
import { ending, outcome, staleness, summary } from './stage-lines.ts';

const progressEveryMs = 10_000;

/** One line per significant event, for logs and pipes; progress every ten seconds per stage. */
export class PlainReporter implements Reporter {
  private readonly write: (line: string) => void;
  private readonly render: (diagnostic: Diagnostic) => string;
  private readonly lastProgress = new Map<string, number>();
  private steps: ReadonlySet<string> = new Set();

  constructor(write: (line: string) => void, render: (diagnostic: Diagnostic) => string) {
    this.write = write;
    this.render = render;
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case 'run-start':
        this.steps = new Set(event.stages.flatMap(({ id, partOf }) => (partOf === undefined ? [] : [id])));
        this.write(`${event.pipeline}: ${plural(event.stages.length - this.steps.size, 'stage')}, run ${event.run}`);
        for (const backend of event.backends ?? []) this.write(describeBackend(backend));
        break;
      case 'stage-start':
        this.write(
          `${event.stage}: ` +
            `started${event.actions > 1 ? ` (${plural(event.actions, 'part')}, ${event.cached} cached)` : ''}`,
        );
        break;
      case 'progress': {
        const last = this.lastProgress.get(event.stage) ?? 0;
        if (event.time - last < progressEveryMs) break;
        this.lastProgress.set(event.stage, event.time);
        if (last > 0)
          this.write(
            `${event.stage}: ${event.done}${event.total === undefined ? '' : `/${event.total}`} ` +
              `${event.unit}${event.note ? `, ${event.note}` : ''}`,
          );
        break;
      }
      case 'log':
        for (const line of event.text.trimEnd().split('\n')) this.write(`${event.stage}: ${line}`);
        break;
      case 'action-end':
        if (!event.ok && event.willRetryInMs !== undefined)
          this.write(
            `${event.stage}: failed, retrying in ${duration(event.willRetryInMs)}: ` +
              `${event.diagnostic?.message ?? ''}`,
          );
        break;
      case 'stage-end':
        // A step with nothing to do is covered by its stage's line.
        if (this.steps.has(event.stage) && (event.state === 'cached' || event.state === 'skipped')) break;
        this.write(`${event.stage}: ${event.state}${outcome(event) ? ` · ${outcome(event)}` : ''}`);
        if (event.diagnostic && event.state === 'failed') this.write(this.render(event.diagnostic));
        break;
      case 'stage-planned':
        if (event.freshness.kind === 'miss') this.write(`${event.stage}: ${staleness(event.freshness)}`);
        break;
      case 'warning':
        this.write(this.render(event.diagnostic));
        break;
      case 'loop-end':
        this.write(
          `rounds: ended after round ${event.round} (${event.reason === 'until' ? '`until` holds' : 'the last'})`,
        );
        break;
      case 'run-ending':
        this.write(ending(event));
        break;
      case 'run-end':
        this.write(summary(event));
        break;
      case 'action-start':
      case 'metric':
        break;
    }
  }

  end(): void {
    /* nothing is buffered */
  }
}
