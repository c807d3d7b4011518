import type { Dataset, Shard } from '../../src/core/data.ts';
import type { StageContext } from '../../src/core/stage.ts';
import { DigestIndex, Uint32List } from '../../src/data/digest-index.ts';
import { NearDuplicates } from '../../src/text/minhash/near-duplicates.ts';
import { signDocuments, StoredSignatures, type SignedDocument } from '../../src/text/minhash/signed-documents.ts';
import { groupDigest } from '../../src/text/minhash/text-signature.ts';

export interface Config {
  readonly method: 'exact' | 'minhash';
  readonly min_similarity: number;
  readonly within: 'all' | 'snapshot';
}

/** Which documents stay. Documents are numbered over all shards; the repeats that `refresh` makes of a shard have its numbers. */
export class Choice {
  private readonly begins: ReadonlyMap<Shard, number>;
  private readonly kept: Uint8Array;
  private readonly nearDuplicates: Uint8Array;

  /** @param begins number of each shard's first document */
  constructor(begins: ReadonlyMap<Shard, number>, documents: number) {
    this.begins = begins;
    this.kept = new Uint8Array(Math.ceil(documents / 8));
    this.nearDuplicates = new Uint8Array(this.kept.length);
  }

  set(document: number, verdict: 'kept' | 'near_duplicate'): void {
    const bits = verdict === 'kept' ? this.kept : this.nearDuplicates;
    bits[Math.floor(document / 8)]! |= 1 << document % 8;
  }

  /** Why the document in a row of a shard is dropped; `undefined` for one that stays. */
  reason(shard: Shard, row: number): 'duplicate' | 'near_duplicate' | undefined {
    const document = this.begins.get(shard)! + row;
    return hasBit(this.kept, document) ? undefined : hasBit(this.nearDuplicates, document) ? 'near_duplicate' : 'duplicate';
  }

  /** How many documents of a shard stay. */
  keptOf(shard: Shard): number {
    let count = 0;
    for (let row = 0; row < (shard.rows ?? 0); row++) if (this.reason(shard, row) === undefined) count++;
    return count;
  }
}

/** Compare all documents, by their signatures where there are some. */
export async function chooseDocuments(inputs: readonly Dataset[], context: StageContext<Config>): Promise<Choice> {
  const stored = context.has('signatures') ? new StoredSignatures(context.datasets('signatures')) : undefined;
  const total = inputs.reduce((sum, input) => sum + input.rowCount, 0);
  const texts = new Texts(total, context.config);
  const begins = new Map<Shard, number>();
  const firsts = new Map<string, number>();
  let next = 0;
  for (const input of inputs)
    for (const shard of input.shards) {
      const first = isRepeat(shard) ? firsts.get(shard.digest) : undefined;
      begins.set(shard, first ?? next);
      if (first !== undefined) continue;
      firsts.set(shard.digest, next);
      for await (const document of stored ? stored.read(shard) : signDocuments(input.select([shard]))) {
        texts.add(document, next++);
        context.progress(next, total, 'documents', 'comparing');
        context.signal.throwIfAborted();
      }
    }
  const choice = new Choice(begins, next);
  for (const { at, isNearDuplicate } of texts.choose()) choice.set(at, isNearDuplicate ? 'near_duplicate' : 'kept');
  return choice;
}

/** The different texts seen, each with the document to keep of it: that of the oldest snapshot, and the first of those. */
class Texts {
  private readonly digests = new DigestIndex();
  private readonly keptOf = new Uint32List(); // text number -> number of the document to keep
  private readonly snapshotOf = new Uint32List(); // text number -> index into `snapshots`
  private readonly snapshots: string[] = [];
  private readonly config: Config;
  private readonly near: NearDuplicates | undefined;

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

  /** Where the document to keep of each text is, and whether another text that is nearly the same goes before it. */
  *choose(): Generator<{ at: number; isNearDuplicate: boolean }> {
    const { near, config } = this;
    if (!near) {
      for (let number = 0; number < this.digests.size; number++) yield { at: this.keptOf.get(number), isNearDuplicate: false };
      return;
    }
    const order = this.order();
    const roots = near.cluster(order, config.min_similarity, config.within === 'snapshot' ? (number) => this.snapshotOf.get(number) : undefined);
    for (let place = 0; place < order.length; place++) yield { at: this.keptOf.get(order[place]!), isNearDuplicate: roots[place] !== place };
  }

  /** Oldest snapshot first and by digest within one: whatever the order in which the documents came, clusters and what stays of them are the same. */
  private order(): Uint32Array {
    const age = new Uint32Array(this.snapshots.length);
    [...this.snapshots.keys()].sort((a, b) => (this.snapshots[a]! < this.snapshots[b]! ? -1 : 1)).forEach((snapshot, rank) => (age[snapshot] = rank));
    return Uint32Array.from({ length: this.digests.size }, (_, number) => number)
      .sort((a, b) => age[this.snapshotOf.get(a)]! - age[this.snapshotOf.get(b)]! || this.digests.compare(a, b));
  }
}

/** Whether `refresh` put this shard in once more, for its source's weight. */
function isRepeat({ meta }: Shard): boolean {
  return Number(meta?.copy ?? 1) > 1;
}

/** There are few snapshots, and the last one found is nearly always the next. */
function indexIn(list: string[], item: string): number {
  const index = list.lastIndexOf(item);
  return index >= 0 ? index : list.push(item) - 1;
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return (bits[Math.floor(index / 8)]! >> index % 8 & 1) === 1;
}
