import type { Piece } from './gzip-members.ts';

/**
 * Look-ahead over a piecewise byte stream that is divided into segments. A segment ends where a gzip member is damaged
 * and before a member that begins with `marker`; so in a file with one record per member a segment is a record, and in
 * a plain file it is the whole file. Memory is bounded by the longest `fill`.
 */
export class SegmentReader {
  private readonly pieces: AsyncIterator<Piece>;
  private readonly marker: string;
  private buffer = Buffer.alloc(256 * 1024);
  private from = 0;
  private to = 0;
  private next: Piece | undefined;
  private ended = true;
  /** Why the segment ended, if it did not end normally. Known once {@link fill} returned fewer bytes than requested. */
  damage: Piece['broken'];

  constructor(pieces: AsyncIterable<Piece>, marker: string) {
    this.pieces = pieces[Symbol.asyncIterator]();
    this.marker = marker;
  }

  /** Begin the next segment, dropping the rest of this one; false when there is none. */
  async nextSegment(): Promise<boolean> {
    while (!this.ended) {
      this.skip(this.to - this.from);
      await this.fill(1);
    }
    this.from = this.to = 0;
    this.damage = undefined;
    this.next ??= await this.pull();
    if (this.next === undefined) return false;
    this.ended = false;
    this.accept(this.next);
    this.next = undefined;
    return true;
  }

  /** Make `count` bytes available in the window. Returns how many there are: fewer only at the segment's end. */
  async fill(count: number): Promise<number> {
    while (this.to - this.from < count && !this.ended) {
      const piece = await this.pull();
      if (piece === undefined) this.ended = true;
      else if (this.beginsSegment(piece)) {
        this.next = piece;
        this.ended = true;
      } else this.accept(piece);
    }
    return this.to - this.from;
  }

  /** What has been filled and not skipped; valid until the next `fill`. */
  get window(): Buffer {
    return this.buffer.subarray(this.from, this.to);
  }

  skip(count: number): void {
    this.from += count;
  }

  /** Move to the next occurrence of `pattern`, or to the segment's end; returns the number of bytes skipped. */
  async seek(pattern: string): Promise<number> {
    let skipped = 0;
    for (;;) {
      const available = await this.fill(64 * 1024);
      const at = this.window.indexOf(pattern, 0, 'latin1');
      const isLast = available < 64 * 1024;
      const step = at >= 0 ? at : isLast ? available : available - pattern.length + 1;
      this.skip(step);
      skipped += step;
      if (at >= 0 || isLast) return skipped;
    }
  }

  async close(): Promise<void> {
    await this.pieces.return?.();
  }

  private async pull(): Promise<Piece | undefined> {
    const result = await this.pieces.next();
    return result.done === true ? undefined : result.value;
  }

  /** A member that is damaged from its first byte says nothing about the one before it. */
  private beginsSegment(piece: Piece): boolean {
    if (piece.start !== true) return false;
    return piece.bytes.length === 0
      ? piece.broken !== undefined
      : latin1(piece.bytes, this.marker.length) === this.marker;
  }

  private accept(piece: Piece): void {
    const size = this.to - this.from;
    if (this.to + piece.bytes.length > this.buffer.length) {
      const needed = size + piece.bytes.length;
      const target = needed * 2 > this.buffer.length ? Buffer.alloc(needed * 2) : this.buffer;
      this.buffer.copy(target, 0, this.from, this.to);
      this.buffer = target;
      this.from = 0;
      this.to = size;
    }
    this.buffer.set(piece.bytes, this.to);
    this.to += piece.bytes.length;
    if (piece.broken === undefined) return;
    this.damage = piece.broken;
    this.ended = true;
  }
}

const latin1 = (bytes: Uint8Array, count: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(count, bytes.length)).toString('latin1');
