import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Replace a file atomically: a reader, or a kill at any moment, sees the old content or the new, never a mixture. */
export function writeAtomic(path: string, content: string, temporary: string): void {
  mkdirSync(temporary, { recursive: true });
  const draft = `${temporary}/${randomBytes(8).toString('hex')}`;
  try {
    const file = openSync(draft, 'wx');
    try {
      const bytes = Buffer.from(content);
      for (let offset = 0; offset < bytes.length;) offset += writeSync(file, bytes, offset);
    } finally {
      closeSync(file);
    }
    mkdirSync(dirname(path), { recursive: true });
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The same; once it resolves, the content survives a power cut. */
export async function writeDurable(path: string, content: string, temporary: string): Promise<void> {
  await mkdir(temporary, { recursive: true });
  const draft = `${temporary}/${randomBytes(8).toString('hex')}`;
  try {
    const file = await open(draft, 'wx');
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await mkdir(dirname(path), { recursive: true });
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Make the names in a folder durable (fsync(2): a new name needs an fsync of its directory). */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** The JSON of a file; `undefined` if it is missing, truncated or not JSON. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Whether a file operation failed because the path does not exist. */
export const isMissing = (error: unknown): boolean => (error as NodeJS.ErrnoException | undefined)?.code === 'ENOENT';
