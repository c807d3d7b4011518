/**
 * Counts of the most frequent items of a stream in bounded memory (Misra and Gries 1982). Counts are exact while there
 * are at most `capacity` distinct items; beyond that, a count may be too low by up to items / capacity.
 */
export class TopCounts {
  private readonly capacity: number;
  private readonly counts = new Map<string, number>();

  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(item: string): void {
    const count = this.counts.get(item);
    if (count !== undefined) this.counts.set(item, count + 1);
    else if (this.counts.size < this.capacity) this.counts.set(item, 1);
    else this.shrink();
  }

  /** The greatest counts in descending order; equal ones by item. */
  top(limit: number): [string, number][] {
    return [...this.counts].sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1)).slice(0, limit);
  }

  /**
   * The new item cancels out one of each counted item: at most as many steps as items were added since the last time.
   */
  private shrink(): void {
    for (const [item, count] of this.counts)
      if (count === 1) this.counts.delete(item);
      else this.counts.set(item, count - 1);
  }
}
