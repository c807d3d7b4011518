import { join, resolve } from 'node:path';

/** Where a store keeps things. */
export interface Layout {
  readonly root: string;
  /** File contents by SHA-256, read-only. */
  readonly objects: string;
  /** Artifacts as folders, for people and for stages with folder inputs. */
  readonly artifacts: string;
  /** Records by action key. */
  readonly actions: string;
  /** Private directories of running actions, by run. */
  readonly attempts: string;
  /** Checkpoints of unfinished long stages, by action key. */
  readonly checkpoints: string;
  /**
   * Finished downloads, by the digest of their URL; parts of unfinished ones are checkpoints. `cache gc` removes those
   * not used recently.
   */
  readonly downloads: string;
  /** Journals. */
  readonly runs: string;
  /** The latest ingredients of each stage, for `explain`. */
  readonly last: string;
  readonly locks: string;
  readonly quarantine: string;
  /** Bundles of users' own stages. */
  readonly userStages: string;
  /** Temporary files that are renamed into place. */
  readonly temporary: string;
  /** Cache of source digests. */
  readonly digests: string;
}

export function layoutOf(folder: string): Layout {
  const root = resolve(folder);
  const at = (name: string): string => join(root, name);
  return {
    root,
    objects: at('objects'),
    artifacts: at('artifacts'),
    actions: at('actions'),
    attempts: at('attempts'),
    checkpoints: at('checkpoints'),
    downloads: at('downloads'),
    runs: at('runs'),
    last: at('last'),
    locks: at('locks'),
    quarantine: at('quarantine'),
    userStages: at('user-stages'),
    temporary: at('temporary'),
    digests: at('digests.json'),
  };
}

/** `<folder>/<first two digits>/<digest>`, so that no folder grows too large. */
export const sharded = (folder: string, digest: string): string => `${folder}/${digest.slice(0, 2)}/${digest}`;

/** A stage id or pipeline name as one file name: `a/b` cannot leave its folder. */
export const fileName = (id: string): string =>
  id
    .replace(/[%/\\\0]/g, (character) => encodeURIComponent(character))
    .replace(/^\.+/, (dots) => '%2E'.repeat(dots.length));
