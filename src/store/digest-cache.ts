import { statSync, type BigIntStats } from 'node:fs';
import type { Digest } from '../core/artifact.ts';
import { digestFile } from '../core/digest.ts';
import { readJson, writeAtomic } from './files.ts';

/** A file changed this recently before it was digested may change again without its times showing it. */
const racyMs = 50;

/** Digests of source files, remembered by path, size, modification and change time and inode. */
export interface DigestCache {
  digest(path: string): Digest;
  save(): void;
}

export function openDigestCache(file: string, temporary: string): DigestCache {
  const entries = new Map<string, readonly [identity: string, digest: Digest]>();
  const saved = readJson(file);
  if (typeof saved === 'object' && saved !== null)
    for (const [path, entry] of Object.entries(saved))
      if (Array.isArray(entry) && typeof entry[0] === 'string' && /^[0-9a-f]{64}$/.test(String(entry[1])))
        entries.set(path, [entry[0], entry[1] as Digest]);
  let changed = false;

  return {
    digest(path) {
      const stat = statSync(path, { bigint: true });
      const known = entries.get(path);
      if (known?.[0] === identityOf(stat)) return known[1];
      const began = Date.now();
      const { digest } = digestFile(path);
      const after = statSync(path, { bigint: true });
      const touchedMs = Number(stat.mtimeMs > stat.ctimeMs ? stat.mtimeMs : stat.ctimeMs);
      if (identityOf(after) === identityOf(stat) && touchedMs + racyMs < began)
        entries.set(path, [identityOf(stat), digest]);
      else entries.delete(path);
      changed = true;
      return digest;
    },
    save() {
      if (changed) writeAtomic(file, JSON.stringify(Object.fromEntries(entries)), temporary);
      changed = false;
    },
  };
}

const identityOf = (stat: BigIntStats): string =>
  `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.dev}:${stat.ino}`;
