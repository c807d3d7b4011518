/** No list, or the end of one. */
export const empty = 0;

/**
 * Lists of numbers, each identified by its first link, in a few typed arrays: 8 bytes per item, where many small arrays
 * take several times that. Links of a released list are reused.
 */
export class IndexLists {
  private items = new Uint32Array(1 << 16);
  private nexts = new Uint32Array(1 << 16);
  private used = 1;
  private free = empty;

  /** The list with one more item in front. */
  add(list: number, item: number): number {
    let link = this.free;
    if (link !== empty) this.free = this.nexts[link]!;
    else {
      if (this.used === this.items.length) this.grow();
      link = this.used++;
    }
    this.items[link] = item;
    this.nexts[link] = list;
    return link;
  }

  /** The item that was added last; not for the empty list. */
  first(list: number): number {
    return this.items[list]!;
  }

  /** All items, last added first; each is released when it is taken. */
  *drain(list: number): Generator<number> {
    for (let link = list; link !== empty;) {
      const item = this.items[link]!,
        next = this.nexts[link]!;
      this.nexts[link] = this.free;
      this.free = link;
      link = next;
      yield item;
    }
  }

  private grow(): void {
    const items = new Uint32Array(this.items.length * 2),
      nexts = new Uint32Array(items.length);
    items.set(this.items);
    nexts.set(this.nexts);
    [this.items, this.nexts] = [items, nexts];
  }
}
