import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Identifies a process uniquely, even after its pid is reused or the machine restarts. */
export interface Owner {
  /** Host name and, in a container, its pid namespace. */
  readonly host: string;
  readonly boot: string;
  readonly pid: number;
  /** Start time in clock ticks since boot; empty on systems without /proc. */
  readonly start: string;
}

let self: Owner | undefined;

export function currentOwner(): Owner {
  return (self ??= { host: hostName(), boot: bootId(), pid: process.pid, start: startTime(process.pid) ?? '' });
}

/** Whether an owner still runs: `unknown` on another host, where the caller must judge by heartbeat. */
export function ownerState(owner: Owner): 'alive' | 'dead' | 'unknown' {
  const me = currentOwner();
  if (owner.host !== me.host) return 'unknown';
  if (owner.boot !== me.boot) return 'dead';
  return sameProcess(owner.pid, owner.start) ? 'alive' : 'dead';
}

/** Whether the process with this pid is the one that began at `start`, and not a zombie or a later one. */
export function sameProcess(pid: number, start: string): boolean {
  const now = startTime(pid);
  if (now !== undefined) return start === '' || now === start;
  if (start !== '') return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat (proc(5)); `undefined` if the process does not exist or is a zombie. */
export function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

function hostName(): string {
  try {
    return `${hostname()}:${readlinkSync('/proc/self/ns/pid').replace(/\D/g, '')}`;
  } catch {
    return hostname();
  }
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
  } catch {
    return '';
  }
}
