import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '../core/event.ts';
import { PlainReporter } from '../reporting/plain.ts';
import { tally } from '../reporting/stage-lines.ts';
import { exitCodes, print, refuse, render } from './exit.ts';
import { projectOf, storeRoot } from './workspace.ts';

/** `runs`: every run of the store and its result, newest first. */
export function runsCommand(options: { store?: string; json?: boolean }): number {
  const runs = join(storeRoot(options.store, projectOf(join(process.cwd(), 'x'))), 'runs');
  for (const id of listRuns(runs)) {
    const events = readJournal(runs, id);
    const start = events.find((event) => event.type === 'run-start');
    const end = events.find((event) => event.type === 'run-end');
    if (options.json)
      print(JSON.stringify({ run: id, pipeline: start?.pipeline, start: start?.time, state: end?.state ?? 'killed' }));
    else print(`${id}  ${start?.pipeline ?? '?'}  ${end ? `${end.state} · ${tally(end)}` : 'killed or still running'}`);
  }
  return exitCodes.ok;
}

/** `logs [run]`: the journal of a run as plain text; default: the newest run. */
export function logsCommand(
  id: string | undefined,
  options: { store?: string; json?: boolean; stage?: string },
): number {
  const runs = join(storeRoot(options.store, projectOf(join(process.cwd(), 'x'))), 'runs');
  const all = listRuns(runs);
  const run = id ?? all[0];
  if (run === undefined || !all.includes(run)) {
    return refuse(
      [
        {
          code: 'unknown-run',
          message: run === undefined ? `No runs in ${runs}.` : `Unknown run ${run} in ${runs}.`,
          help: 'List them with `run-pipeline runs`.',
        },
      ],
      options.json,
    );
  }
  const reporter = new PlainReporter(print, render);
  const events = readJournal(runs, run);
  // A composite stage also stands for its steps.
  const started = events.find((event) => event.type === 'run-start');
  const wanted = new Set(
    started?.stages.filter(({ id, partOf }) => id === options.stage || partOf === options.stage).map(({ id }) => id),
  );
  if (options.stage !== undefined && wanted.size === 0) {
    return refuse(
      [
        {
          code: 'unknown-stage',
          message: `Run ${run} does not have a stage "${options.stage}".`,
          help: 'Without --stage, `run-pipeline logs` prints all stages.',
        },
      ],
      options.json,
    );
  }
  for (const event of events) {
    if (options.stage !== undefined && (!('stage' in event) || !wanted.has(event.stage))) continue;
    if (options.json) print(JSON.stringify(event));
    else reporter.event(event);
  }
  return exitCodes.ok;
}

function listRuns(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort().reverse() : [];
}

/** Events of a journal; a truncated last line, left by a kill, is skipped. */
function readJournal(runs: string, id: string): RunEvent[] {
  const path = join(runs, id, 'events.ndjson');
  if (!existsSync(path)) return [];
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as RunEvent];
      } catch {
        return [];
      }
    });
}
