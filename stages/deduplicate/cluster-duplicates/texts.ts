import { DigestIndex, Uint32List } from '../../../src/corpus/digest-index.ts';
import { NearDuplicates } from '../../../src/text/minhash/near-duplicates.ts';
import type { SignedDocument } from '../../../src/text/minhash/signed-documents.ts';
import { groupDigest } from '../../../src/text/minhash/text-signature.ts';
import type { Config } from './config.ts';

/** The distinct texts seen, each with the document to keep: the first one from the oldest snapshot. */
export class Texts {
  private readonly digests = new DigestIndex();
  private readonly keptOf = new Uint32List(); // text number -> number of the document to keep
  private readonly snapshotOf = new Uint32List(); // text number -> index into `snapshots`
  private readonly snapshots: string[] = [];
  private readonly config: Config;
  private readonly near: NearDuplicates | undefined;

  /** @param capacity maximum number of documents */
  constructor(capacity: number, config: Config) {
    this.config = config;
    if (config.method === 'minhash') this.near = new NearDuplicates(capacity);
  }

  add({ digest, snapshot, minHash }: SignedDocument, document: number): void {
    const { digests, snapshots, near } = this;
    const known = digests.size;
    const number = digests.number(this.config.within === 'snapshot' ? groupDigest(digest, snapshot) : digest);
    if (number < known && snapshot >= snapshots[this.snapshotOf.get(number)]!) return;
    this.keptOf.set(number, document);
    this.snapshotOf.set(number, indexIn(snapshots, snapshot));
    const signature = number === known && near ? minHash() : undefined;
    if (signature) near!.set(number, signature);
  }

  /** Where the document to keep of each text is, and whether a nearly identical text takes precedence over it. */
  *choose(): Generator<{ at: number; isNearDuplicate: boolean }> {
    const { near, config } = this;
    if (!near) {
      for (let number = 0; number < this.digests.size; number++)
        yield { at: this.keptOf.get(number), isNearDuplicate: false };
      return;
    }
    const order = this.order();
    const roots = near.cluster(
      order,
      config.min_similarity,
      config.within === 'snapshot' ? (number) => this.snapshotOf.get(number) : undefined,
    );
    for (let place = 0; place < order.length; place++)
      yield { at: this.keptOf.get(order[place]!), isNearDuplicate: roots[place] !== place };
  }

  /**
   * Oldest snapshot first, by digest within one snapshot, so that clusters and the documents kept do not depend on the
   * order of the input.
   */
  private order(): Uint32Array {
    const age = new Uint32Array(this.snapshots.length);
    [...this.snapshots.keys()]
      .sort((a, b) => (this.snapshots[a]! < this.snapshots[b]! ? -1 : 1))
      .forEach((snapshot, rank) => (age[snapshot] = rank));
    return Uint32Array.from({ length: this.digests.size }, (_, number) => number).sort(
      (a, b) => age[this.snapshotOf.get(a)]! - age[this.snapshotOf.get(b)]! || this.digests.compare(a, b),
    );
  }
}

/** There are few snapshots, and the next one is nearly always the last one found. */
function indexIn(list: string[], item: string): number {
  const index = list.lastIndexOf(item);
  return index >= 0 ? index : list.push(item) - 1;
}
