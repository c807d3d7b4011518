import { randomBytes } from 'node:crypto';
import { chmodSync, copyFileSync, linkSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { canonicalJson, type Digest } from '../core/artifact.ts';
import type { Artifact } from '../plan/action-cache.ts';
import { isMissing } from './files.ts';
import { sharded, type Layout } from './layout.ts';

export const viewPath = (layout: Layout, digest: Digest): string => sharded(layout.artifacts, digest);

/**
 * The folder of an artifact: `manifest.json` and hard links to its objects, or copies where links are not possible. If
 * a file is no longer the store's object, which was rebuilt after damage, the folder is made again.
 */
export function buildView(layout: Layout, artifact: Artifact, objectPath: (digest: Digest) => string): string {
  const path = viewPath(layout, artifact.digest);
  if (isCurrent(path, artifact, objectPath)) return path;
  const draft = join(layout.temporary, randomBytes(8).toString('hex'));
  mkdirSync(draft, { recursive: true });
  for (const file of artifact.manifest.files) {
    const to = join(draft, normalize(`/${file.path}`));
    mkdirSync(dirname(to), { recursive: true });
    linkOrCopy(objectPath(file.digest), to);
  }
  if (!artifact.manifest.files.some(({ path: name }) => name === 'manifest.json'))
    writeFileSync(join(draft, 'manifest.json'), `${canonicalJson(artifact.manifest)}\n`, { mode: 0o444 });
  mkdirSync(dirname(path), { recursive: true });
  try {
    // A folder that another run built meanwhile stays: a stage may already be reading from it.
    if (!isCurrent(path, artifact, objectPath)) replace(path, draft);
  } catch (error) {
    if (!isCurrent(path, artifact, objectPath)) throw error;
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return path;
}

/** Put a folder in the place of another, which is moved away before it is removed. */
function replace(path: string, draft: string): void {
  const old = `${draft}-old`;
  try {
    renameSync(path, old);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  try {
    renameSync(draft, path);
  } finally {
    rmSync(old, { recursive: true, force: true });
  }
}

function isCurrent(path: string, { manifest }: Artifact, objectPath: (digest: Digest) => string): boolean {
  if (statSync(join(path, 'manifest.json'), { throwIfNoEntry: false }) === undefined) return false;
  return manifest.files.every((file) => {
    const inView = statSync(join(path, file.path), { throwIfNoEntry: false });
    const object = statSync(objectPath(file.digest), { throwIfNoEntry: false });
    return (
      inView !== undefined &&
      object !== undefined &&
      (inView.ino === object.ino ||
        (inView.nlink === 1 && inView.size === object.size && inView.mtimeMs >= object.mtimeMs))
    );
  });
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOSPC' || code === 'EEXIST') throw error;
    copyFileSync(from, to);
    chmodSync(to, 0o444);
  }
}
