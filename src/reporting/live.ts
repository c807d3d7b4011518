import { createLogUpdate } from 'log-update';
import pc from 'picocolors';
import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import type { Diagnostic } from '../core/diagnostic.ts';
import type { RunEvent } from '../core/event.ts';
import { count, describeBackend, duration, plural } from './format.ts';
import { stepName } from '../core/step-name.ts';
import type { Reporter } from './reporter.ts';
import { ending, outcome, summary } from './stage-lines.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const barWidth = 16;

interface Progress {
  readonly done: number;
  readonly total?: number;
  readonly unit: string;
  readonly note?: string;
  /** Progress at its first report, and when that was: a resumed stage does not start from zero. */
  readonly from: number;
  readonly since: number;
  readonly now: number;
}

interface Running {
  readonly since: number;
  readonly actions: Map<string, Progress>;
  readonly total: number;
  readonly cached: number;
  finished: number;
  /** Units completed in finished actions. */
  units: number;
}

/** The live list: finished stages scroll up as lines; running ones are repainted with a bar, rate and time left. */
export class LiveReporter implements Reporter {
  private readonly log: ReturnType<typeof createLogUpdate>;
  private readonly stream: NodeJS.WriteStream;
  private readonly render: (diagnostic: Diagnostic) => string;
  private readonly running = new Map<string, Running>();
  /** Composite stage by step. */
  private readonly partOf = new Map<string, string>();
  private readonly timer: NodeJS.Timeout;
  private width = 8;
  private waiting = 0;
  private frame = 0;

  constructor(stream: NodeJS.WriteStream, render: (diagnostic: Diagnostic) => string) {
    this.stream = stream;
    this.render = render;
    this.log = createLogUpdate(stream);
    this.timer = setInterval(() => {
      this.paint();
    }, 100);
    this.timer.unref();
  }

  event(event: RunEvent): void {
    switch (event.type) {
      case 'run-start':
        this.width = Math.min(28, Math.max(...event.stages.map(({ id, partOf }) => (partOf ? 0 : id.length)), 8));
        for (const { id, partOf } of event.stages) if (partOf !== undefined) this.partOf.set(id, partOf);
        this.waiting = event.stages.length - this.partOf.size;
        this.print(`${pc.bold(event.pipeline)} ${pc.dim(`${plural(this.waiting, 'stage')} · run ${event.run}`)}`);
        for (const backend of event.backends ?? []) this.print(pc.dim(describeBackend(backend)));
        break;
      case 'stage-start':
        this.running.set(event.stage, {
          since: event.time,
          actions: new Map(),
          total: event.actions,
          cached: event.cached,
          finished: event.cached,
          units: 0,
        });
        break;
      case 'progress': {
        const { done, unit, total, note, time } = event;
        const actions = this.running.get(event.stage)?.actions;
        const { from, since } = actions?.get(event.action) ?? { from: done, since: time };
        actions?.set(event.action, {
          done,
          unit,
          from,
          since,
          now: time,
          ...(total === undefined ? {} : { total }),
          ...(note === undefined ? {} : { note }),
        });
        break;
      }
      case 'action-end': {
        const running = this.running.get(event.stage);
        if (running && event.ok) {
          running.finished++;
          running.units += running.actions.get(event.action)?.done ?? 0;
        }
        running?.actions.delete(event.action);
        if (event.willRetryInMs !== undefined)
          this.print(
            `${pc.yellow('↻')} ${event.stage} ` +
              `${pc.dim(`failed, retrying in ${duration(event.willRetryInMs)}: ${event.diagnostic?.message ?? ''}`)}`,
          );
        break;
      }
      case 'stage-end': {
        this.running.delete(event.stage);
        const composite = this.partOf.get(event.stage);
        if (composite === undefined) this.waiting--;
        // Only a failed step gets a line; its stage gets one when all of its steps have ended.
        else if (event.state !== 'failed') break;
        const mark = {
          cached: pc.cyan('≡'),
          ran: pc.green('✔'),
          failed: pc.red('✖'),
          skipped: pc.dim('-'),
          interrupted: pc.yellow('■'),
        }[event.state];
        this.print(
          this.fit(
            `${mark} ${event.stage.padEnd(this.width)} ` +
              `${pc.dim(`${event.state}${outcome(event, 8) ? ` · ${outcome(event, 8)}` : ''}`)}`,
          ),
        );
        if (event.diagnostic && event.state === 'failed') this.print(this.render(event.diagnostic));
        break;
      }
      case 'warning':
        this.print(this.render(event.diagnostic));
        break;
      case 'loop-end':
        this.print(
          pc.dim(
            `rounds ended after round ${event.round} (${event.reason === 'until' ? '`until` holds' : 'the last'})`,
          ),
        );
        break;
      case 'run-ending':
        this.print(pc.yellow(ending(event)));
        break;
      case 'run-end':
        this.log.clear();
        this.print(pc.bold(summary(event)));
        break;
      case 'stage-planned':
      case 'action-start':
      case 'metric':
      case 'log':
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

  private fit(line: string): string {
    return cut(line, (this.stream.columns || 80) - 1);
  }

  private paint(): void {
    this.frame = (this.frame + 1) % frames.length;
    const shown = new Set<string>();
    const lines = [...this.running].flatMap(([stage, running]) => {
      const composite = this.partOf.get(stage);
      const line = `${pc.cyan(frames[this.frame] ?? '')} ${(composite ?? stage).padEnd(this.width)} `;
      if (composite === undefined) return [line + this.describe(running)];
      const step = `${stepName(composite, stage)} `;
      const isFirst = !shown.has(composite);
      shown.add(composite);
      return [(isFirst ? line : ' '.repeat(this.width + 3)) + pc.dim(step) + this.describe(running)];
    });
    const rest = this.waiting - new Set([...this.running.keys()].map((id) => this.partOf.get(id) ?? id)).size;
    if (rest > 0 && lines.length > 0) lines.push(pc.dim(`  ${rest} to go`));
    this.log(lines.map((line) => this.fit(line)).join('\n'));
  }

  private describe({ since, actions, total, cached, finished, units }: Running): string {
    const elapsedMs = Date.now() - since;
    const parts = [...actions.values()];
    const latest = parts.at(-1);
    const one = total === 1 ? latest : undefined;
    const shares = parts.reduce((sum, part) => sum + (part.total ? Math.min(1, part.done / part.total) : 0), finished);
    const perMs = one
      ? (one.done - one.from) / (one.now - one.since)
      : parts.reduce((sum, part) => sum + part.done, units) / elapsedMs;
    const leftMs = one
      ? ((one.total ?? Infinity) - one.done) / perMs
      : (elapsedMs * (total - shares)) / (shares - cached);
    const known = [
      total > 1 ? `${finished}/${total} parts` : '',
      latest && perMs > 0 && Number.isFinite(perMs) ? `${count(perMs * 1000)} ${latest.unit}/s` : duration(elapsedMs),
      leftMs > 0 && Number.isFinite(leftMs) ? `${duration(leftMs)} left` : '',
      latest?.note ?? '',
    ];
    return `${total > 1 || one?.total ? `${bar(shares / total)} ` : ''}${pc.dim(known.filter(Boolean).join(' · '))}`;
  }
}

/** As much of a line as fits, including colours: a line that wraps could not be repainted. */
function cut(line: string, columns: number): string {
  return stringWidth(line) > columns ? `${sliceAnsi(line, 0, columns - 1)}…` : line;
}

function bar(share: number): string {
  const filled = Math.round(share * barWidth);
  return (
    `${pc.green('█'.repeat(filled))}${pc.dim('░'.repeat(barWidth - filled))} ` +
    `${String(Math.round(share * 100)).padStart(3)}%`
  );
}
