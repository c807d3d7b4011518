/**
 * Numbers digests 0, 1, 2… in the order in which they are first seen. An open-addressing table of typed arrays: about
 * 30 bytes per digest, where a Map of strings needs about 150, so 100 million documents fit in memory.
 *
 * A digest has four words, 16 bytes: among a billion documents, the probability that two different ones share a digest
 * is about 1e-21.
 */
export class DigestIndex {
  private capacity = 1 << 10;
  /** Slot -> number + 1; 0 is free. */
  private slots = new Uint32Array(this.capacity);
  /** Number -> four words of the digest. */
  private words = new Uint32Array(this.capacity * 4);
  size = 0;

  /** The digest's number; `size` grows when it is new. */
  number(digest: Uint32Array): number {
    const a = digest[0]!,
      b = digest[1]!,
      c = digest[2]!,
      d = digest[3]!;
    const { words, slots } = this;
    let slot = a & (this.capacity - 1);
    for (let entry = slots[slot]!; entry !== 0; entry = slots[slot]!) {
      const at = (entry - 1) * 4;
      if (words[at] === a && words[at + 1] === b && words[at + 2] === c && words[at + 3] === d) return entry - 1;
      slot = (slot + 1) & (this.capacity - 1);
    }
    words.set(digest, this.size * 4);
    slots[slot] = ++this.size;
    if (this.size > this.capacity * 0.6) this.grow();
    return this.size - 1;
  }

  /** Compare two numbers by their digests: an order that does not depend on when they were seen. */
  compare(a: number, b: number): number {
    const { words } = this;
    for (let word = 0; word < 4; word++)
      if (words[a * 4 + word] !== words[b * 4 + word]) return words[a * 4 + word]! - words[b * 4 + word]!;
    return 0;
  }

  private grow(): void {
    const words = new Uint32Array(this.capacity * 8);
    words.set(this.words.subarray(0, this.size * 4));
    this.words = words;
    this.capacity *= 2;
    this.slots = new Uint32Array(this.capacity);
    for (let number = 0; number < this.size; number++) {
      let slot = words[number * 4]! & (this.capacity - 1);
      while (this.slots[slot] !== 0) slot = (slot + 1) & (this.capacity - 1);
      this.slots[slot] = number + 1;
    }
  }
}

/** A list of 32-bit numbers that grows, at 4 bytes each. */
export class Uint32List {
  private values = new Uint32Array(1 << 10);
  length = 0;

  get(index: number): number {
    return this.values[index]!;
  }

  set(index: number, value: number): void {
    if (index >= this.values.length) {
      const grown = new Uint32Array(Math.max(index + 1, this.values.length * 2));
      grown.set(this.values);
      this.values = grown;
    }
    this.values[index] = value;
    this.length = Math.max(this.length, index + 1);
  }
}
