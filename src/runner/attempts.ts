import { appendFileSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readJson } from '../store/files.ts';
import type { Layout } from '../store/layout.ts';
import { currentOwner, ownerState, sameProcess, startTime, type Owner } from '../store/owner.ts';

/**
 * Private directories of a run's actions, in one folder that also records their owner and the workers that write to
 * them.
 */
export interface Attempts {
  create(): string;
  remove(attempt: string): Promise<void>;
  /** Record a worker before it gets work, so that a later run can stop it if this one dies. */
  noteWorker(pid: number): void;
  close(): void;
}

export function openAttempts({ attempts, temporary }: Pick<Layout, 'attempts' | 'temporary'>, run: string): Attempts {
  const own = join(attempts, run);
  const workers = new Set<number>();
  let count = 0;
  /** The folder appears with its owner in it: a concurrent run treats a folder without an owner as a leftover. */
  const open = (): void => {
    if (count > 0) return;
    const draft = join(temporary, run);
    mkdirSync(draft, { recursive: true });
    writeFileSync(join(draft, 'owner.json'), JSON.stringify(currentOwner()));
    mkdirSync(attempts, { recursive: true });
    renameSync(draft, own);
  };
  return {
    create() {
      open();
      count += 1;
      const attempt = join(own, String(count));
      mkdirSync(attempt);
      return attempt;
    },
    remove: (attempt) => rm(attempt, { recursive: true, force: true }).catch(leaveIt),
    noteWorker(pid) {
      if (workers.has(pid)) return;
      workers.add(pid);
      appendFileSync(join(own, 'workers'), `${pid} ${startTime(pid) ?? ''}\n`);
    },
    close: () => removeLeftover(own),
  };
}

/** Remove what dead runs left behind, after stopping their remaining workers. */
export function sweepAttempts(folder: string): void {
  let runs: string[];
  try {
    runs = readdirSync(folder);
  } catch {
    return;
  }
  for (const run of runs) {
    const path = join(folder, run);
    const owner = readJson(join(path, 'owner.json')) as Owner | undefined;
    // Without an owner it was partly removed: nothing runs in it.
    if (owner !== undefined && ownerState(owner) !== 'dead') continue;
    if (owner !== undefined && owner.boot === currentOwner().boot)
      for (const [pid, start] of workersOf(path)) if (start !== '' && sameProcess(pid, start)) killGroup(pid);
    removeLeftover(path);
  }
}

/** What cannot be removed now, for example from a read-only store, is left to a later run. */
function removeLeftover(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    leaveIt();
  }
}

/** A leftover is harmless: names of attempts are never used twice. */
function leaveIt(): void {}

function workersOf(path: string): (readonly [pid: number, start: string])[] {
  try {
    return readFileSync(join(path, 'workers'), 'utf8')
      .split('\n')
      .flatMap((line) => {
        const [pid, start = ''] = line.split(' ');
        return Number(pid) > 1 ? [[Number(pid), start] as const] : [];
      });
  } catch {
    return [];
  }
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has already ended.
  }
}
