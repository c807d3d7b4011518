import { join } from 'node:path';
import { bytes, duration, plural } from '../reporting/format.ts';
import { collectGarbage, listActions, verifyStore } from '../store/maintenance.ts';
import { createStore, type Store } from '../store/store.ts';
import { exitCodes, print, printError } from './exit.ts';
import { projectOf, storeRoot } from './workspace.ts';

interface CacheOptions {
  readonly store?: string;
  readonly json?: boolean;
}

/** `cache ls`: cached results, most recently used first. */
export function cacheLs(options: CacheOptions): number {
  const actions = listActions(open(options).layout);
  const width = Math.max(5, ...actions.map(({ record }) => record.stage.length));
  for (const { record, bytes: size, usedMs } of actions) {
    if (options.json)
      print(
        JSON.stringify({
          key: record.key,
          stage: record.stage,
          bytes: size,
          used: usedMs,
          durationMs: record.durationMs,
        }),
      );
    else
      print(
        `${record.key.slice(0, 12)}  ${record.stage.padEnd(width)}  ${bytes(size).padStart(10)}  took ` +
          `${duration(record.durationMs)}`,
      );
  }
  if (!options.json)
    print(`${plural(actions.length, 'result')}, ${bytes(actions.reduce((sum, action) => sum + action.bytes, 0))}`);
  return exitCodes.ok;
}

/** `cache verify`: exit code 4 if something was damaged; the next run rebuilds it. */
export function cacheVerify(options: CacheOptions): number {
  const { checked, damaged } = verifyStore(open(options));
  if (options.json) print(JSON.stringify({ checked, damaged }));
  else {
    for (const digest of damaged) printError(`damaged: ${digest}`);
    print(
      `${plural(checked, 'object')} read, ${damaged.length} ` +
        `damaged${damaged.length > 0 ? ': moved to quarantine; the next run rebuilds them' : ''}`,
    );
  }
  return damaged.length === 0 ? exitCodes.ok : exitCodes.damagedStore;
}

/** `cache gc`: what was or would be removed. */
export function cacheGc(options: CacheOptions & { keepDays: number; dryRun?: boolean }): number {
  const {
    actions,
    objects,
    bytes: size,
  } = collectGarbage(open(options).layout, { keepDays: options.keepDays, dryRun: options.dryRun === true });
  if (options.json) print(JSON.stringify({ actions, objects, bytes: size, dryRun: options.dryRun === true }));
  else
    print(
      `${options.dryRun ? 'would remove' : 'removed'} ${plural(actions, 'result')}, ${plural(objects, 'object')},` +
        ` ${bytes(size)}`,
    );
  return exitCodes.ok;
}

function open(options: CacheOptions): Store {
  return createStore(storeRoot(options.store, projectOf(join(process.cwd(), 'x'))));
}
