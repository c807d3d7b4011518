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
/** While a run is publishing, an object may be there before the record that names it. */
const publishingMs = 3_600_000;
/** A run on another host, or in a container that is gone, counts as ended when it has begun nothing for this long. */
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

/** Read every object again; those that aren't what their name says go to quarantine, and the next run rebuilds them. */
export function verifyStore(store: Store): { readonly checked: number; readonly damaged: readonly Digest[] } {
  const digests = entries(store.layout.objects).map((path) => basename(path) as Digest);
  return { checked: digests.length, damaged: digests.filter((digest) => !store.verifyObject(digest)) };
}

export interface GarbageOptions {
  /** Keep what was used in the last days. */
  readonly keepDays: number;
  /** Only say what would go. */
  readonly dryRun?: boolean;
  readonly now?: number;
}

/**
 * Remove records that no stage's latest state names and that were not used lately, then everything only they named.
 * Safe beside running pipelines: what a run has used since yesterday or is about to publish stays.
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
  // A folder's date says when something was last added to it: that of a run that goes on, and of its checkpoints, may
  // be old.
  const leftovers = [
    ...(busy ? [] : list(layout.checkpoints)),
    ...[...list(layout.attempts), ...list(layout.runs)].filter((path) => !live.has(basename(path))),
    ...list(layout.temporary),
    ...list(layout.quarantine),
  ];
  for (const path of leftovers)
    if ((statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? now) < cutoff && !recent(path)) remove(path);
  // What is read from them is in the store already; a download is only worth its while until a stage's config settles.
  for (const path of list(layout.downloads)) {
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat === undefined || stat.mtimeMs >= cutoff || recent(path)) continue;
    bytes += stat.size;
    remove(path);
  }
  return { actions, objects, bytes };
}

/** What the latest state of every stage of every pipeline refers to. */
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

/** Ids of the runs that have begun an action and have not ended; of one on another host that can only be guessed. */
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

/** The entries of a folder that is split by first digits. */
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
