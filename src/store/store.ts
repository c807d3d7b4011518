import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ActionKey, Digest } from '../core/artifact.ts';
import { Failure } from '../core/diagnostic.ts';
import { digestFile, digestStream } from '../core/digest.ts';
import type { ActionOutcome } from '../core/worker.ts';
import type { ActionCache, ActionRecord, Artifact, Ingredients, LastStage } from '../plan/action-cache.ts';
import { toArtifact } from '../plan/fingerprint.ts';
import { readRecord, serializeRecord } from './action-record.ts';
import { buildView } from './artifact-view.ts';
import { openDigestCache } from './digest-cache.ts';
import { isMissing, readJson, readText, syncFolder, writeAtomic, writeDurable } from './files.ts';
import { acquireLock, type Lock, type LockOptions } from './lock.ts';
import { fileName, layoutOf, sharded, type Layout } from './layout.ts';

const dayMs = 86_400_000;

/** The content-addressed cache of one project, shared safely by concurrent runs. */
export interface Store extends ActionCache {
  readonly layout: Layout;
  /** With `verify`, every object is hashed again before a record counts as a hit. */
  lookup(key: ActionKey, options?: { readonly verify?: boolean }): ActionRecord | undefined;
  /** Absolute path of a file's bytes. */
  objectPath(digest: Digest): string;
  /** Whether the object matches its digest; a damaged one is moved to quarantine. Checked once per process. */
  verifyObject(digest: Digest): boolean;
  /** The objects that are missing, damaged or unreadable. Does not block the event loop. */
  findDamaged(digests: Iterable<Digest>): Promise<Digest[]>;
  /**
   * Move an attempt's files into the store and, once they are durable, write the record. Then every run can use them.
   */
  publish(publication: Publication): Promise<ActionRecord>;
  /** The folder of an artifact, with its files under their own names; built if missing. */
  view(artifact: Artifact): string;
  checkpoint(key: ActionKey): string;
  /**
   * Remove checkpoints of finished actions, left by runs that were killed after an action was published and before its
   * checkpoint was removed.
   */
  sweepCheckpoints(): Promise<void>;
  lock(key: ActionKey, options?: LockOptions): Promise<Lock>;
  saveLast(pipeline: string, stage: string, last: LastStage): void;
  /** Write the digests of sources, which are otherwise only in memory. */
  flush(): void;
}

export interface Publication {
  readonly key: ActionKey;
  readonly stage: string;
  readonly attempt: string;
  readonly outcome: ActionOutcome;
  readonly durationMs: number;
  readonly ingredients: Ingredients;
}

/** The store in a folder such as `.run-pipeline`; nothing is created until something is published. */
export function createStore(root: string): Store {
  const layout = layoutOf(root);
  const digests = openDigestCache(layout.digests, layout.temporary);
  const sound = new Set<Digest>();
  const objectPath = (digest: Digest): string => sharded(layout.objects, digest);
  const recordPath = (key: ActionKey): string => `${sharded(layout.actions, key)}.json`;

  /** Damaged objects; they count as missing even if a read-only store keeps them in place. */
  const unsound = new Set<Digest>();
  const setAside = (digest: Digest): void => {
    sound.delete(digest);
    unsound.add(digest);
    try {
      quarantine(layout, objectPath(digest));
    } catch {
      // Publishing would also fail, and report it.
    }
  };

  const store: Store = {
    layout,
    objectPath,
    digestFile: (path) => digests.digest(path),
    flush: () => digests.save(),

    lookup(key, { verify = false } = {}) {
      const path = recordPath(key);
      const record = readRecord(path, key);
      if (record === undefined) return undefined;
      for (const { manifest } of Object.values(record.outputs))
        for (const { digest, bytes } of manifest.files) {
          const stat = statSync(objectPath(digest), { throwIfNoEntry: false });
          if (stat === undefined || unsound.has(digest)) return undefined;
          if (stat.size !== bytes) {
            setAside(digest);
            return undefined;
          }
          if (verify && !store.verifyObject(digest)) return undefined;
        }
      keepFresh(path);
      return record;
    },

    verifyObject(digest) {
      if (sound.has(digest)) return true;
      const path = objectPath(digest);
      try {
        if (digestFile(path).digest === digest) {
          sound.add(digest);
          return true;
        }
      } catch (error) {
        if (isMissing(error) || isBusy(error)) return false;
      }
      setAside(digest);
      return false;
    },

    async findDamaged(wanted) {
      const damaged: Digest[] = [];
      for (const digest of wanted) {
        if (sound.has(digest)) continue;
        try {
          if ((await digestStream(objectPath(digest))) === digest) {
            sound.add(digest);
            continue;
          }
          setAside(digest);
        } catch (error) {
          if (isBusy(error)) throw error;
          // An unreadable object must not be a hit either, or the stage that made it would be scheduled forever.
          if (!isMissing(error)) setAside(digest);
        }
        damaged.push(digest);
      }
      return damaged;
    },

    async publish({ key, stage, attempt, outcome, durationMs, ingredients }) {
      const folders = new Set<string>();
      const outputs: Record<string, Artifact> = {};
      for (const [port, manifest] of Object.entries(outcome.outputs)) {
        for (const file of manifest.files) {
          const from = join(attempt, port, file.path);
          const to = objectPath(file.digest);
          const stat = statSync(from, { throwIfNoEntry: false });
          if (stat === undefined) {
            if (statSync(to, { throwIfNoEntry: false })?.size !== file.bytes)
              throw broken(stage, port, file.path, 'is missing');
            continue;
          }
          if (stat.size !== file.bytes)
            throw broken(stage, port, file.path, `has ${stat.size} bytes, but its manifest lists ${file.bytes}`);
          folders.add(dirname(to));
          // Folders of artifacts that stages are reading are made of the existing object.
          if (sound.has(file.digest) && statSync(to, { throwIfNoEntry: false })?.size === file.bytes) continue;
          mkdirSync(dirname(to), { recursive: true });
          chmodSync(from, 0o444);
          renameSync(from, to);
          sound.add(file.digest);
          unsound.delete(file.digest);
        }
        outputs[port] = toArtifact(manifest);
      }
      if (folders.size > 0) await Promise.all([...folders, layout.objects].map(syncFolder));
      const record: ActionRecord = {
        v: 1,
        key,
        stage,
        outputs,
        metrics: outcome.metrics,
        ...(outcome.gauges?.length ? { gauges: outcome.gauges } : {}),
        ...(outcome.drops?.length ? { drops: outcome.drops } : {}),
        durationMs,
        ingredients,
      };
      await writeDurable(recordPath(key), serializeRecord(record), layout.temporary);
      await rm(store.checkpoint(key), { recursive: true, force: true });
      return record;
    },

    view: (artifact) => buildView(layout, artifact, objectPath),
    checkpoint: (key) => join(layout.checkpoints, key),
    async sweepCheckpoints() {
      for (const key of (existsSync(layout.checkpoints) ? readdirSync(layout.checkpoints) : []) as ActionKey[]) {
        if (!existsSync(recordPath(key))) continue;
        // If another run does not accept the record as a hit, the checkpoint may be in use again.
        const lock = await store.lock(key, { signal: AbortSignal.timeout(200) }).catch(() => undefined);
        if (lock === undefined) continue;
        await rm(store.checkpoint(key), { recursive: true, force: true }).catch(() => {}); // left to a later run
        await lock.release();
      }
    },
    lock: (key, lockOptions) => acquireLock(join(layout.locks, key), lockOptions),

    last(pipeline, stage) {
      const value = readJson(lastPath(layout, pipeline, stage)) as LastStage | undefined;
      return typeof value === 'object' && value !== null && typeof value.ingredients === 'object' ? value : undefined;
    },

    saveLast(pipeline, stage, last) {
      const path = lastPath(layout, pipeline, stage);
      const text = `${JSON.stringify(last)}\n`;
      if (readText(path) !== text) writeAtomic(path, text, layout.temporary);
    },
  };
  return store;
}

const lastPath = (layout: Layout, pipeline: string, stage: string): string =>
  join(layout.last, fileName(pipeline), `${fileName(stage)}.json`);

function broken(stage: string, port: string, path: string, what: string): Failure {
  return new Failure({
    code: 'output-broken',
    stage,
    message: `The file ${path} of output ${port} ${what}.`,
    help: 'The stage or another process changed the output after the stage ended. Run it again.',
  });
}

/** Whether reading failed for lack of file handles, which means nothing for the file. */
const isBusy = (error: unknown): boolean => ['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '');

/** Move a damaged object where nothing reads it; it can be inspected there until `cache gc`. */
function quarantine(layout: Layout, path: string): void {
  mkdirSync(layout.quarantine, { recursive: true });
  try {
    renameSync(
      path,
      join(layout.quarantine, `${path.slice(-64)}-${process.pid}-${readdirSync(layout.quarantine).length}`),
    );
  } catch {
    rmSync(path, { force: true });
  }
}

/** Records in use get a new date once per day, which garbage collection relies on. */
function keepFresh(path: string): void {
  try {
    if (Date.now() - statSync(path).mtimeMs > dayMs) utimesSync(path, new Date(), new Date());
  } catch {
    // A read-only store still serves hits.
  }
}
