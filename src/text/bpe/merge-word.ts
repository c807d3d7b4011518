import type { BpeModel } from './model.ts';

const positionRange = 2 ** 31;

/**
 * Applies a vocabulary's merges to one word: always the best-ranked pair, and the leftmost of equal ones. Symbols form
 * a linked list and candidate merges wait in a heap, so any word of n bytes takes n log n steps.
 */
export class WordMerger {
  private readonly encoder = new TextEncoder();
  private readonly idOfByte: Uint32Array;
  private readonly size: number;
  private readonly ranks = new Map<number, number>();
  private readonly merged: Uint32Array;
  private readonly heap: number[] = [];
  private symbols = new Int32Array(64);
  private next = new Int32Array(64);
  private previous = new Int32Array(64);

  constructor(idOfByte: Uint32Array, model: BpeModel) {
    this.idOfByte = idOfByte;
    this.size = model.tokens.length;
    this.merged = Uint32Array.from(model.merges, (merge) => merge.id);
    model.merges.forEach(({ left, right }, rank) => this.ranks.set(left * this.size + right, rank));
  }

  merge(word: string): number[] {
    const bytes = this.encoder.encode(word);
    if (bytes.length > this.symbols.length) this.grow(bytes.length);
    const { symbols, next, previous, heap } = this;
    for (let i = 0; i < bytes.length; i++) {
      symbols[i] = this.idOfByte[bytes[i]!]!;
      next[i] = i + 1 < bytes.length ? i + 1 : -1;
      previous[i] = i - 1;
    }
    for (let i = 0; i + 1 < bytes.length; i++) this.offer(i);
    while (heap.length > 0) {
      const top = this.pop();
      const rank = Math.floor(top / positionRange);
      const at = top % positionRange;
      if (symbols[at]! < 0 || this.rankAt(at) !== rank) continue; // one of the two has been merged in the meantime
      const gone = next[at]!;
      symbols[at] = this.merged[rank]!;
      symbols[gone] = -1;
      next[at] = next[gone]!;
      if (next[at]! >= 0) previous[next[at]!] = at;
      if (previous[at]! >= 0) this.offer(previous[at]!);
      this.offer(at);
    }
    const ids: number[] = [];
    for (let at = bytes.length > 0 ? 0 : -1; at >= 0; at = next[at]!) ids.push(symbols[at]!);
    return ids;
  }

  private rankAt(at: number): number | undefined {
    const right = this.next[at]!;
    return right < 0 ? undefined : this.ranks.get(this.symbols[at]! * this.size + this.symbols[right]!);
  }

  private offer(at: number): void {
    const rank = this.rankAt(at);
    if (rank === undefined) return;
    const { heap } = this;
    const item = rank * positionRange + at;
    let hole = heap.push(item) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (heap[parent]! <= item) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = item;
  }

  private pop(): number {
    const { heap } = this;
    const first = heap[0]!;
    const last = heap.pop()!;
    const length = heap.length;
    if (length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = hole * 2 + 1;
      if (child >= length) break;
      if (child + 1 < length && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = last;
    return first;
  }

  private grow(length: number): void {
    const size = Math.max(length, this.symbols.length * 2);
    this.symbols = new Int32Array(size);
    this.next = new Int32Array(size);
    this.previous = new Int32Array(size);
  }
}
