import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

/** Replace a file so that a reader, or a crash at any moment, sees the old content or the new, never a mixture. */
export function writeAtomic(path: string, content: string, options: { readonly sync: boolean; readonly temporary: string }): void {
  mkdirSync(options.temporary, { recursive: true });
  const draft = `${options.temporary}/${randomBytes(8).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx');
    try {
      const bytes = Buffer.from(content);
      for (let offset = 0; offset < bytes.length; ) offset += writeSync(file, bytes, offset);
      if (options.sync) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    mkdirSync(dirname(path), { recursive: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  if (options.sync) syncFolder(dirname(path));
}

/** Make the names in a folder durable (fsync(2): a new name needs an fsync of its directory). */
export function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The JSON of a file, or `undefined` when it is missing, torn or no JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether a file operation failed because there is nothing at that path. */
export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
