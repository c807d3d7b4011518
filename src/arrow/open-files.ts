import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** Fewer than any system allows per process; reopening a file takes a few microseconds. */
const mostOpen = 200;

/** Reads pieces of many files synchronously and keeps the most recently used ones open. */
export class OpenFiles {
  /** File descriptors by path, least recently used first. */
  private readonly descriptors = new Map<string, number>();

  /** Fill a typed array with the bytes at a position. Throws when the file ends before it is full. */
  read<T extends NodeJS.ArrayBufferView>(path: string, position: number, into: T): T {
    const fd = this.descriptor(path);
    for (let done = 0; done < into.byteLength;) {
      const bytes = readSync(fd, into, done, into.byteLength - done, position + done);
      if (bytes === 0) throw new Error(`it ends at byte ${position + done}, before the data expected there`);
      done += bytes;
    }
    return into;
  }

  size(path: string): number {
    return fstatSync(this.descriptor(path)).size;
  }

  close(): void {
    for (const fd of this.descriptors.values()) closeSync(fd);
    this.descriptors.clear();
  }

  private descriptor(path: string): number {
    const known = this.descriptors.get(path);
    this.descriptors.delete(path);
    if (known === undefined && this.descriptors.size >= mostOpen) {
      const [oldest, fd] = this.descriptors.entries().next().value as [string, number];
      this.descriptors.delete(oldest);
      closeSync(fd);
    }
    const fd = known ?? openSync(path, 'r');
    this.descriptors.set(path, fd);
    return fd;
  }
}
