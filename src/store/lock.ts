import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMissing } from './files.ts';
import { currentOwner, ownerState, type Owner } from './owner.ts';

const heartbeatMs = 5_000;
const foreignDeadAfterMs = 60_000;

export interface Lock {
  release(): Promise<void>;
}

export interface LockOptions {
  readonly signal?: AbortSignal;
  /** Called once when another live process holds the lock. */
  readonly onWait?: (owner: Owner) => void;
}

/**
 * Take an exclusive lock: a folder in which each contender creates a file named after itself. It holds the lock if it
 * then sees no other live one. Names are unique, so removing a dead owner's file can never remove a live owner's.
 */
export async function acquireLock(folder: string, options: LockOptions = {}): Promise<Lock> {
  const me = currentOwner();
  const name = [me.host, me.boot, me.pid, me.start, randomBytes(4).toString('hex')]
    .map((part) => encodeURIComponent(part))
    .join('~');
  let waited = false;
  for (let turn = 0; ; turn++) {
    options.signal?.throwIfAborted();
    const path = join(folder, name);
    create(folder, path);
    const rival = findRival(folder, name, statSync(path).mtimeMs);
    if (rival === undefined) return hold(folder, path);
    rmSync(path, { force: true });
    if (!waited && turn > 3) {
      waited = true;
      options.onWait?.(rival);
    }
    await sleep(
      Math.min(500, 10 * 2 ** Math.min(turn, 6)) * (0.5 + jitter()),
      undefined,
      options.signal ? { signal: options.signal } : {},
    );
  }
}

function create(folder: string, path: string): void {
  for (;;) {
    mkdirSync(folder, { recursive: true });
    try {
      closeSync(openSync(path, 'wx'));
      return;
    } catch (error) {
      // Another owner removed the empty folder between the two calls.
      if (!isMissing(error)) throw error;
    }
  }
}

/** The live owner of another file in the folder; files of dead ones are removed on the way. */
function findRival(folder: string, own: string, now: number): Owner | undefined {
  let rival: Owner | undefined;
  for (const name of readdirSync(folder)) {
    if (name === own) continue;
    const path = join(folder, name);
    const [host = '', boot = '', pid = '', start = ''] = name.split('~').map((part) => decodeURIComponent(part));
    const owner = { host, boot, pid: Number(pid), start };
    let state = ownerState(owner);
    if (state === 'unknown') {
      // Both times come from the file system's clock, so it does not matter if hosts' clocks disagree.
      const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
      state = touched === undefined || now - touched > foreignDeadAfterMs ? 'dead' : 'alive';
    }
    if (state === 'dead') rmSync(path, { force: true });
    else rival = owner;
  }
  return rival;
}

function hold(folder: string, path: string): Lock {
  const heartbeat = setInterval(() => {
    try {
      // By a write, not by this host's clock: contenders on other hosts compare with the file system's clock.
      const file = openSync(path, 'r+');
      try {
        writeSync(file, '.', 0);
      } finally {
        closeSync(file);
      }
    } catch {
      // Losing the file means losing the lock to another host; publishing the same content twice is harmless.
    }
  }, heartbeatMs);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      try {
        await rm(path, { force: true });
        await rmdir(folder);
      } catch {
        // Not empty: another process is waiting in it.
      }
    },
  };
}

const jitter = (): number => (process.hrtime()[1] % 1000) / 1000;
