import type { RunEvent } from '../core/event.ts';
import type { Reporter } from './reporter.ts';

/** The journal's lines on standard output. */
export class NdjsonReporter implements Reporter {
  private readonly write: (line: string) => void;
  constructor(write: (line: string) => void) {
    this.write = write;
  }
  event(event: RunEvent): void {
    this.write(JSON.stringify(event));
  }
  end(): void {
    /* nothing is buffered */
  }
}
