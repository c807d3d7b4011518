/** Chunks as one run of bytes with look-ahead, in which the next gzip member can be found after a damaged one. */
export class ByteQueue {
  private readonly chunks: AsyncIterator<Uint8Array>;
  private buffer: Uint8Array = empty;
  /** What was skipped since the mark, to go back to. */
  private kept: Uint8Array[] | undefined;
  private keptBytes = 0;

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.chunks = chunks;
  }

  /** Up to `count` bytes from here; fewer only at the end. */
  async peek(count: number): Promise<Uint8Array> {
    while (this.buffer.length < count && (await this.more()));
    return this.buffer.subarray(0, count);
  }

  skip(count: number): void {
    if (this.kept !== undefined) {
      this.kept.push(this.buffer.subarray(0, count));
      this.keptBytes += count;
      while (this.keptBytes > maxKeptBytes) this.keptBytes -= this.kept.shift()?.length ?? 0;
    }
    this.buffer = this.buffer.subarray(count);
  }

  /** From here on keep what is skipped, as far as memory allows. */
  mark(): void {
    this.kept = [];
    this.keptBytes = 0;
  }

  unmark(): void {
    this.kept = undefined;
  }

  /** Back to the mark: a member that was cut off was read into the ones that follow it. */
  rewind(): void {
    this.buffer = Buffer.concat([...(this.kept ?? []), this.buffer]);
    this.unmark();
  }

  /** Whatever is available, at least one byte; `undefined` at the end. */
  async take(): Promise<Uint8Array | undefined> {
    if (this.buffer.length === 0 && !(await this.more())) return undefined;
    const bytes = this.buffer;
    this.buffer = empty;
    return bytes;
  }

  async startsWithGzip(): Promise<boolean> {
    return isGzip(await this.peek(3), 0);
  }

  /** Move to the next place that looks like the beginning of a gzip member; false at the end. */
  async seekGzip(): Promise<boolean> {
    for (;;) {
      const bytes = await this.peek(windowBytes);
      let at = bytes.indexOf(0x1f);
      while (at >= 0 && at + 3 <= bytes.length && !isGzip(bytes, at)) at = bytes.indexOf(0x1f, at + 1);
      if (at >= 0 && at + 3 <= bytes.length) {
        this.skip(at);
        return true;
      }
      if (bytes.length < windowBytes) return false;
      this.skip(at < 0 ? bytes.length : at);
    }
  }

  async close(): Promise<void> {
    await this.chunks.return?.();
  }

  private async more(): Promise<boolean> {
    const next = await this.chunks.next();
    if (next.done === true) return false;
    this.buffer = this.buffer.length === 0 ? next.value : Buffer.concat([this.buffer, next.value]);
    return true;
  }
}

/** Magic number and the only compression method. */
function isGzip(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x1f && bytes[at + 1] === 0x8b && bytes[at + 2] === 8;
}

const empty = new Uint8Array(0);
const windowBytes = 64 * 1024;
/**
 * How much of a member is kept to look for its successor in. A web page has about 20 kB; a lost record costs little.
 */
const maxKeptBytes = 8 * 1024 * 1024;
