import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { RunEvent } from '../core/event.ts';
import { count, describeBackend, duration } from './format.ts';
import type { Reporter } from './reporter.ts';
import { outcome, summary } from './stage-lines.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const barWidth = 16;

interface Running {
  readonly since: number;
  readonly actions: Map<string, { done: number; total?: number; unit: string; note?: string }>;
  total: number;
  finished: number;
}

/** The live list: finished stages scroll up as lines, running ones are repainted with bar, rate and time left. */
export class LiveReporter implements Reporter {
  private readonly log: ReturnType<typeof createLogUpdate>;
  private readonly stream: NodeJS.WriteStream;
  private readonly render: (diagnostic: Diagnostic) => string;
  private readonly running = new Map<string, Running>();
  private readonly timer: NodeJS.Timeout;
  private width = 8;
  private waiting = 0;
  private frame = 0;

  constructor(stream: NodeJS.WriteStream, render: (diagnostic: Diagnostic) => string) {
    this.stream = stream;
    this.render = render;
    this.log = createLogUpdate(stream);
    this.timer = setInterval(() => { this.paint(); }, 100);
    this.timer.unref();
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case 'run-start':
        this.width = Math.min(28, Math.max(...event.stages.map((stage) => stage.id.length), 8));
        this.waiting = event.stages.length;
        this.print(`${pc.bold(event.pipeline)} ${pc.dim(`${event.stages.length} stages · run ${event.run}`)}`);
        for (const backend of event.backends ?? []) this.print(pc.dim(describeBackend(backend)));
        break;
      case 'stage-start':
        this.running.set(event.stage, { since: event.time, actions: new Map(), total: event.actions, finished: event.cached });
        break;
      case 'progress': {
        const { done, unit } = event;
        this.running.get(event.stage)?.actions.set(event.action, { done, unit, ...(event.total === undefined ? {} : { total: event.total }), ...(event.note === undefined ? {} : { note: event.note }) });
        break;
      }
      case 'action-end': {
        const running = this.running.get(event.stage);
        if (running && event.ok) running.finished++;
        if (event.willRetryInMs !== undefined) this.print(`${pc.yellow('↻')} ${event.stage} ${pc.dim(`failed, tried again in ${duration(event.willRetryInMs)}: ${event.diagnostic?.message ?? ''}`)}`);
        break;
      }
      case 'stage-end': {
        this.running.delete(event.stage);
        this.waiting--;
        const mark = { cached: pc.cyan('≡'), ran: pc.green('✔'), failed: pc.red('✖'), skipped: pc.dim('-'), interrupted: pc.yellow('■') }[event.state];
        this.print(`${mark} ${event.stage.padEnd(this.width)} ${pc.dim(`${event.state}${outcome(event) ? ` · ${outcome(event)}` : ''}`)}`);
        if (event.diagnostic && event.state === 'failed') this.print(this.render(event.diagnostic));
        break;
      }
      case 'warning':
        this.print(this.render(event.diagnostic));
        break;
      case 'loop-end':
        this.print(pc.dim(`rounds ended after round ${event.round} (${event.reason === 'until' ? '`until` holds' : 'the last'})`));
        break;
      case 'run-end':
        this.log.clear();
        this.print(pc.bold(summary(event)));
        break;
      case 'stage-planned': case 'action-start': case 'metric': case 'log':
        break;
    }
  }

  end(): void {
    clearInterval(this.timer);
    this.log.clear();
    this.log.done();
  }

  private print(line: string): void {
    this.log.clear();
    this.stream.write(`${line}\n`);
  }

  private paint(): void {
    this.frame = (this.frame + 1) % frames.length;
    const lines = [...this.running].map(([stage, running]) => `${pc.cyan(frames[this.frame] ?? '')} ${stage.padEnd(this.width)} ${this.describe(running)}`);
    const rest = this.waiting - this.running.size;
    if (rest > 0 && lines.length > 0) lines.push(pc.dim(`  ${rest} to go`));
    this.log(lines.join('\n'));
  }

  private describe(running: Running): string {
    const elapsed = (Date.now() - running.since) / 1000;
    const parts = [...running.actions.values()];
    const done = parts.reduce((sum, part) => sum + part.done, 0);
    const first = parts.at(-1);
    const many = running.total > 1 ? `${running.finished}/${running.total} parts ` : '';
    if (!first) return pc.dim(`${many}${duration(elapsed * 1000)}`);
    const total = parts.every((part) => part.total !== undefined) ? parts.reduce((sum, part) => sum + (part.total ?? 0), 0) : undefined;
    const share = running.total > 1 ? running.finished / running.total : total ? Math.min(1, done / total) : undefined;
    const rate = `${count(done / Math.max(elapsed, 0.001))} ${first.unit}/s`;
    const eta = share && share > 0.02 ? ` · ${duration(((1 - share) / share) * elapsed * 1000)} left` : '';
    return `${share === undefined ? '' : `${bar(share)} `}${many}${pc.dim(`${rate}${eta}${first.note ? ` · ${first.note}` : ''}`)}`;
  }
}

function bar(share: number): string {
  const filled = Math.round(share * barWidth);
  return `${pc.green('█'.repeat(filled))}${pc.dim('░'.repeat(barWidth - filled))} ${String(Math.round(share * 100)).padStart(3)}%`;
}
