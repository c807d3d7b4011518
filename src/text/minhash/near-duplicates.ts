import { bandCount, rowsPerBand, signatureLength } from './signature.ts';
import { rowWords, type CompactSignature } from './text-signature.ts';

/**
 * Number of members of a bucket that the others are compared with; with more, a bucket of boilerplate could take
 * quadratic time.
 */
const maxLeaders = 16;

/**
 * Signatures of documents, and which of them are near-duplicates of one another: locality-sensitive hashing by bands
 * (Leskovec et al., Mining of Massive Datasets, 3.4), each hit checked by the whole signature, clusters by union-find.
 *
 * Takes 168 bytes per document: a hash of each band, and one byte per row, which suffices to estimate similarity.
 */
export class NearDuplicates {
  private readonly bands: Uint32Array;
  private readonly rowWords: Uint32Array;
  /** The same memory by row. */
  private readonly rows: Uint8Array;
  private readonly isSigned: Uint8Array;

  /** @param capacity maximum number of documents; memory is allocated as they are added */
  constructor(capacity: number) {
    this.bands = new Uint32Array(capacity * bandCount);
    this.rowWords = new Uint32Array(capacity * rowWords);
    this.rows = new Uint8Array(this.rowWords.buffer);
    this.isSigned = new Uint8Array(capacity);
  }

  set(document: number, { bands, rows }: CompactSignature): void {
    this.bands.set(bands, document * bandCount);
    this.rowWords.set(rows, document * rowWords);
    this.isSigned[document] = 1;
  }

  /**
   * For each document of an order, by its position there, the position of the first one of its cluster. The clusters
   * depend only on the order, so pass one that does not depend on how the documents arrived.
   * @param order documents, best first; only these are compared
   * @param minSimilarity minimum share of common shingles for two documents that share a band to be duplicates
   * @param groupOf documents of different groups are not compared
   */
  cluster(order: Uint32Array, minSimilarity: number, groupOf: (document: number) => number = () => 0): Uint32Array {
    const sets = new DisjointSets(order.length);
    const signed = order.reduce((sum, document) => sum + this.isSigned[document]!, 0);
    const keys = new BigUint64Array(signed);
    const words = new Uint32Array(keys.buffer); // for each key: the position in the order, then the band's hash
    for (let band = 0; band < bandCount; band++) {
      let at = 0;
      for (let place = 0; place < order.length; place++) {
        if (this.isSigned[order[place]!] === 0) continue;
        words[at++] = place;
        words[at++] = this.bands[order[place]! * bandCount + band]!;
      }
      keys.sort();
      for (let begin = 0, end: number; begin < signed; begin = end) {
        for (end = begin + 1; end < signed && words[end * 2 + 1] === words[begin * 2 + 1]; end++);
        if (end - begin > 1)
          this.join(
            words,
            begin,
            end,
            sets,
            (a, b) =>
              groupOf(order[a]!) === groupOf(order[b]!) && this.agree(order[a]!, order[b]!, band, minSimilarity),
          );
      }
    }
    return sets.roots();
  }

  /** Join each member of a bucket to the first similar earlier one that was not similar to any before it. */
  private join(
    words: Uint32Array,
    begin: number,
    end: number,
    sets: DisjointSets,
    alike: (a: number, b: number) => boolean,
  ): void {
    const leaders: number[] = [];
    for (let at = begin; at < end; at++) {
      const member = words[at * 2]!;
      const leader = leaders.find((one) => sets.root(one) === sets.root(member) || alike(one, member));
      if (leader !== undefined) sets.unite(leader, member);
      else if (leaders.length < maxLeaders) leaders.push(member);
    }
  }

  /** Whether the rows of a band agree, not just its hash, and enough of all rows. */
  private agree(a: number, b: number, band: number, minSimilarity: number): boolean {
    const { rows } = this;
    const atA = a * signatureLength,
      atB = b * signatureLength;
    for (let row = band * rowsPerBand; row < (band + 1) * rowsPerBand; row++)
      if (rows[atA + row] !== rows[atB + row]) return false;
    let equal = 0;
    for (let row = 0; row < signatureLength; row++) if (rows[atA + row] === rows[atB + row]) equal++;
    // Of the rows that differ, one in 256 has the same byte.
    return (equal / signatureLength - 1 / 256) / (1 - 1 / 256) >= minSimilarity;
  }
}

/** Union-find in which the smallest member is the root. */
class DisjointSets {
  private readonly parents: Uint32Array;

  constructor(size: number) {
    this.parents = Uint32Array.from({ length: size }, (_, member) => member);
  }

  root(member: number): number {
    const { parents } = this;
    while (parents[member] !== member) member = parents[member] = parents[parents[member]!]!;
    return member;
  }

  unite(a: number, b: number): void {
    const rootA = this.root(a),
      rootB = this.root(b);
    this.parents[Math.max(rootA, rootB)] = Math.min(rootA, rootB);
  }

  roots(): Uint32Array {
    return this.parents.map((_, member) => this.root(member));
  }
}
