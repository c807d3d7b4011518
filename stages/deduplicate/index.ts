import { createHash } from 'node:crypto';
import type { Dataset, Shard } from '../../src/core/data.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { DigestIndex, Uint32List } from '../../src/data/digest-index.ts';
import { ShardedDocuments } from '../../src/data/sharded-documents.ts';
import { NearDuplicates } from '../../src/text/minhash/near-duplicates.ts';
import { MinHasher } from '../../src/text/minhash/signature.ts';

interface Config {
  readonly method: 'exact' | 'minhash';
  readonly min_similarity: number;
  readonly within: 'all' | 'snapshot';
}

/** Deduplication in two passes: choose the documents to keep, then write those. */
export default defineStage<Config>({
  description: 'Drop documents whose text is that of another one, white space aside, or nearly so (MinHash); the one of the oldest snapshot stays.',
  inputs: { documents: { contract: 'documents', description: 'documents to compare, all with all', many: true } },
  outputs: { documents: { contract: 'documents', description: 'one document of each text' } },
  async run(context) {
    const inputs = context.datasets('documents');
    const { kept, ranges, nearDuplicates } = await chooseDocuments(inputs, context);
    const total = inputs.reduce((sum, input) => sum + input.rowCount, 0);
    const writer = context.writer('documents');
    const documents = new ShardedDocuments(writer);
    let seen = 0, out = 0;
    for (const input of inputs)
      for (const shard of input.shards) {
        const { begin, end } = ranges.get(shard)!;
        const keptHere = countBits(kept, begin, end);
        if (keptHere === end - begin && saysWhatItHolds(shard)) {
          // Nothing to drop: the same bytes under the same digest, so what follows need not look at the shard again.
          await documents.end();
          if (keptHere > 0) writer.link(shard);
        } else if (keptHere > 0) {
          let ordinal = begin;
          for await (const row of input.select([shard]).rows()) if (hasBit(kept, ordinal++)) await documents.add(row);
        }
        const near = countBits(nearDuplicates, begin, end);
        context.count('dropped.duplicate', end - begin - keptHere - near);
        if (near > 0) context.count('dropped.near_duplicate', near);
        seen += end - begin;
        out += keptHere;
        context.progress(seen, total, 'documents', 'writing');
        context.signal.throwIfAborted();
      }
    await documents.end();
    context.count('documents.in', seen);
    context.count('documents.out', out);
  },
});

/** Ordinals of a shard's documents. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

interface Choice {
  /** Which documents stay, as a bit for each. */
  readonly kept: Uint8Array;
  /** Those that would stay if they were not nearly the same as another one, in the same form. */
  readonly nearDuplicates: Uint8Array;
  /** The repeats that `refresh` makes of a shard have the bits of the shard. */
  readonly ranges: ReadonlyMap<Shard, Range>;
}

async function chooseDocuments(inputs: readonly Dataset[], context: StageContext<Config>): Promise<Choice> {
  const total = inputs.reduce((sum, input) => sum + input.rowCount, 0);
  const texts = new Texts(total, context.config);
  const ranges = new Map<Shard, Range>();
  const firsts = new Map<string, Range>();
  let ordinal = 0;
  for (const input of inputs)
    for (const shard of input.shards) {
      const first = isRepeat(shard) ? firsts.get(shard.digest) : undefined;
      if (first !== undefined) {
        ranges.set(shard, first);
        continue;
      }
      const begin = ordinal;
      for await (const batch of input.select([shard]).batches()) {
        const text = batch.getChild('text')!, snapshot = batch.getChild('snapshot')!;
        for (let row = 0; row < batch.numRows; row++, ordinal++) {
          texts.add(String(text.get(row)), String(snapshot.get(row)), ordinal);
          context.progress(ordinal, total, 'documents', 'comparing');
        }
        context.signal.throwIfAborted();
      }
      const range = { begin, end: ordinal };
      ranges.set(shard, range);
      firsts.set(shard.digest, range);
    }
  const kept = new Uint8Array(Math.ceil(ordinal / 8)), nearDuplicates = new Uint8Array(kept.length);
  for (const { at, isNearDuplicate } of texts.choose()) {
    const bits = isNearDuplicate ? nearDuplicates : kept;
    bits[Math.floor(at / 8)]! |= 1 << at % 8;
  }
  return { kept, nearDuplicates, ranges };
}

/** The different texts seen, each with the document to keep of it: that of the oldest snapshot, and the first of those. */
class Texts {
  private readonly digests = new DigestIndex();
  private readonly keptOf = new Uint32List(); // text number -> ordinal of the document to keep
  private readonly snapshotOf = new Uint32List(); // text number -> index into `snapshots`
  private readonly snapshots: string[] = [];
  private readonly config: Config;
  private readonly hasher = new MinHasher();
  private readonly near: NearDuplicates | undefined;

  constructor(capacity: number, config: Config) {
    this.config = config;
    if (config.method === 'minhash') this.near = new NearDuplicates(capacity);
  }

  add(text: string, snapshot: string, ordinal: number): void {
    const { digests, snapshots, near } = this;
    const known = digests.size;
    const number = digests.number(textDigest(text, this.config.within === 'snapshot' ? snapshot : ''));
    if (number < known && snapshot >= snapshots[this.snapshotOf.get(number)]!) return;
    this.keptOf.set(number, ordinal);
    this.snapshotOf.set(number, indexIn(snapshots, snapshot));
    const signature = number === known && near ? this.hasher.sign(text) : undefined;
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

/** SHA-256 of a text in Unicode's NFC with every run of white space as one space; texts of different groups never have the same. */
function textDigest(text: string, group: string): Buffer {
  return createHash('sha256').update(text.normalize('NFC').replace(/\s+/gu, ' ').trim()).update(group === '' ? '' : `\0${group}`).digest();
}

/** Whether `refresh` can tell from the shard's meta what is in it; if not, it is written anew with meta. */
function saysWhatItHolds({ meta }: Shard): boolean {
  return typeof meta?.source === 'string' && typeof meta.snapshot === 'string';
}

/** There are few snapshots, and the last one found is nearly always the next. */
function indexIn(list: string[], item: string): number {
  const index = list.lastIndexOf(item);
  return index >= 0 ? index : list.push(item) - 1;
}

function hasBit(bits: Uint8Array, index: number): boolean {
  return (bits[Math.floor(index / 8)]! >> index % 8 & 1) === 1;
}

function countBits(bits: Uint8Array, begin: number, end: number): number {
  let count = 0;
  for (let index = begin; index < end; index++) if (hasBit(bits, index)) count++;
  return count;
}
