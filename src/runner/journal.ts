import { closeSync, mkdirSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../core/event.ts';

const flushEveryMs = 50;

/** The append-only record of a run. If the store is not writable, the journal is lost but the run continues. */
export interface Journal {
  append(event: RunEvent): void;
  /** Write pending lines now. */
  flush(): void;
  close(): void;
}

export function openJournal(runs: string, run: string, onProblem: (error: Error) => void): Journal {
  let file: number | undefined;
  let broken = false;
  let pending = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (pending === '' || broken) return;
    try {
      if (file === undefined) {
        mkdirSync(join(runs, run), { recursive: true });
        file = openSync(join(runs, run, 'events.ndjson'), 'a');
      }
      const bytes = Buffer.from(pending);
      pending = '';
      for (let offset = 0; offset < bytes.length;) offset += writeSync(file, bytes, offset);
    } catch (error) {
      broken = true;
      onProblem(error as Error);
    }
  };
  return {
    append(event) {
      pending += `${JSON.stringify(event)}\n`;
      timer ??= setTimeout(flush, flushEveryMs);
    },
    flush,
    close() {
      flush();
      if (file !== undefined) closeSync(file);
      file = undefined;
      broken = true;
    },
  };
}
