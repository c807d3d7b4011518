import { readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { ActionKey, Digest } from '../core/artifact.ts';
import type { ActionRecord, LastStage } from '../plan/action-cache.ts';
import { readRecord } from './action-record.ts';
import { readJson } from './files.ts';
import type { Layout } from './layout.ts';
import { ownerState, type Owner } from './owner.ts';
import type { Store } from './store.ts';

const dayMs = 86_400_000;
/** While a run is publishing, an object may exist before the record that names it. */
const publishingMs = 3_600_000;
/** A run on another host, or in a removed container, counts as ended if it has not started anything for this long. */
const foreignRunMs = 30 * dayMs;

export interface ListedAction {
  readonly record: ActionRecord;
  /** Bytes of its outputs; two actions may share some. */
  readonly bytes: number;
  /** When it was last made or reused, to the day. */
  readonly usedMs: number;
}

/** Every readable record, most recently used first. */
export function listActions(layout: Layout): ListedAction[] {
  return recordFiles(layout)
    .flatMap((path) => {
      const record = readRecord(path, basename(path, '.json') as ActionKey);
      const stat = statSync(path, { throwIfNoEntry: false });
      if (record === undefined || stat === undefined) return [];
      const bytes = Object.values(record.outputs)
        .flatMap(({ manifest }) => manifest.files)
        .reduce((sum, file) => sum + file.bytes, 0);
      return [{ record, bytes, usedMs: stat.mtimeMs }];
    })
    .sort((a, b) => b.usedMs - a.usedMs || (a.record.key < b.record.key ? -1 : 1));
}

/** Check every object. Those that do not match their digest go to quarantine, and the next run rebuilds them. */
export function verifyStore(store: Store): { readonly checked: number; readonly damaged: readonly Digest[] } {
  const digests = entries(store.layout.objects).map((path) => basename(path) as Digest);
  return { checked: digests.length, damaged: digests.filter((digest) => !store.verifyObject(digest)) };
}

export interface GarbageOptions {
  /** Keep what was used in the last N days. */
  readonly keepDays: number;
  /** Only report what would be removed. */
  readonly dryRun?: boolean;
  readonly now?: number;
}

/**
 * Remove records that no stage's latest state names and that were not used recently, then everything that only they
 * named. Safe while pipelines run: what a run has used since yesterday or is about to publish stays.
 */
export function collectGarbage(
  layout: Layout,
  options: GarbageOptions,
): { readonly actions: number; readonly objects: number; readonly bytes: number } {
  const now = options.now ?? Date.now();
  const cutoff = now - options.keepDays * dayMs;
  const remove = (path: string): void => {
    if (options.dryRun !== true) rmSync(path, { recursive: true, force: true });
  };
  const live = liveRuns(layout, now);
  const busy = live.size > 0;
  const rooted = latest(layout);
  const keptKeys = new Set<string>();
  const keptObjects = new Set<string>();
  const keptViews = new Set<string>(rooted.views);
  let actions = 0;
  for (const path of recordFiles(layout)) {
    const key = basename(path, '.json');
    const record = readRecord(path, key as ActionKey);
    const used = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (record !== undefined && (rooted.keys.has(key) || used >= cutoff || (busy && used >= now - dayMs))) {
      keptKeys.add(key);
      for (const { digest, manifest } of Object.values(record.outputs)) {
        keptViews.add(digest);
        for (const file of manifest.files) keptObjects.add(file.digest);
      }
    } else {
      actions += 1;
      remove(path);
    }
  }
  const recent = (path: string): boolean =>
    busy && (statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0) > now - publishingMs;
  for (const path of entries(layout.artifacts)) if (!keptViews.has(basename(path)) && !recent(path)) remove(path);
  let objects = 0;
  let bytes = 0;
  for (const path of entries(layout.objects)) {
    if (keptObjects.has(basename(path)) || recent(path)) continue;
    objects += 1;
    bytes += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    remove(path);
  }
  // A folder's date is that of the last addition to it: it may be old for an active run and its checkpoints.
  const leftovers = [
    ...(busy ? [] : list(layout.checkpoints)),
    ...[...list(layout.attempts), ...list(layout.runs)].filter((path) => !live.has(basename(path))),
    ...list(layout.temporary),
    ...list(layout.quarantine),
  ];
  for (const path of leftovers)
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) < cutoff && !recent(path)) remove(path);
  // What was read from them is already in the store; a download is only useful until a stage's config settles.
  for (const path of list(layout.downloads)) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.mtimeMs >= cutoff || recent(path)) continue;
    bytes += stat.size;
    remove(path);
  }
  return { actions, objects, bytes };
}

/** Everything that the latest state of any stage of any pipeline refers to. */
function latest(layout: Layout): { readonly keys: Set<string>; readonly views: Set<string> } {
  const keys = new Set<string>();
  const views = new Set<string>();
  for (const path of list(layout.last).flatMap(list)) {
    const last = readJson(path) as Partial<LastStage> | undefined;
    for (const key of last?.actions ?? []) keys.add(key);
    for (const digest of Object.values(last?.outputs ?? {})) views.add(digest);
  }
  return { keys, views };
}

/** Ids of the runs that have started an action and have not ended; for a run on another host this is a guess. */
function liveRuns(layout: Layout, now: number): Set<string> {
  const live = list(layout.attempts).filter((path) => {
    const owner = readJson(join(path, 'owner.json')) as Owner | undefined;
    const state = owner === undefined ? 'dead' : ownerState(owner);
    return (
      state === 'alive' ||
      (state === 'unknown' && (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > now - foreignRunMs)
    );
  });
  return new Set(live.map((path) => basename(path)));
}

const recordFiles = (layout: Layout): string[] => entries(layout.actions).filter((path) => path.endsWith('.json'));

/** The entries of a folder that is split by the first digits. */
const entries = (folder: string): string[] => list(folder).flatMap(list);

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
      .sort()
      .map((name) => join(folder, name));
  } catch {
    return [];
  }
}
