import { createHash } from 'node:crypto';
import type { Dataset, Shard } from '../../src/core/data.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { DigestIndex, Uint32List } from '../../src/data/digest-index.ts';
import { ShardedDocuments } from '../../src/data/sharded-documents.ts';

type Config = Record<string, never>;

/** Exact deduplication in two passes: choose the document to keep of each text, then write those. */
export default defineStage<Config>({
  description: 'Drop documents whose text, white space aside, is that of another one; the one of the oldest snapshot stays, and the first of those.',
  inputs: { documents: { contract: 'documents', description: 'documents to compare, all with all', many: true } },
  outputs: { documents: { contract: 'documents', description: 'one document of each text' } },
  async run(context) {
    const inputs = context.datasets('documents');
    const { kept, ranges } = await chooseDocuments(inputs, context);
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
        seen += end - begin;
        out += keptHere;
        context.progress(seen, total, 'documents', 'writing');
        context.signal.throwIfAborted();
      }
    await documents.end();
    context.count('documents.in', seen);
    context.count('documents.out', out);
    context.count('dropped.duplicate', seen - out);
  },
});

/** Ordinals of a shard's documents. */
interface Range {
  readonly begin: number;
  readonly end: number;
}

/** Which documents stay, as a bit for each; the repeats that `refresh` makes of a shard have the bits of the shard. */
async function chooseDocuments(inputs: readonly Dataset[], context: StageContext<Config>): Promise<{ kept: Uint8Array; ranges: ReadonlyMap<Shard, Range> }> {
  const total = inputs.reduce((sum, input) => sum + input.rowCount, 0);
  const texts = new DigestIndex();
  const keptOf = new Uint32List(); // text number -> ordinal of the document to keep
  const snapshotOf = new Uint32List(); // text number -> index into `snapshots`
  const snapshots: string[] = [];
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
        const text = batch.getChild('text')!, snapshotColumn = batch.getChild('snapshot')!;
        for (let row = 0; row < batch.numRows; row++, ordinal++) {
          const known = texts.size;
          const number = texts.number(textDigest(String(text.get(row))));
          const snapshot = String(snapshotColumn.get(row));
          if (number < known && snapshot >= snapshots[snapshotOf.get(number)]!) continue;
          keptOf.set(number, ordinal);
          snapshotOf.set(number, indexIn(snapshots, snapshot));
        }
        context.progress(ordinal, total, 'documents', 'comparing');
        context.signal.throwIfAborted();
      }
      const range = { begin, end: ordinal };
      ranges.set(shard, range);
      firsts.set(shard.digest, range);
    }
  const kept = new Uint8Array(Math.ceil(ordinal / 8));
  for (let number = 0; number < texts.size; number++) {
    const keptOrdinal = keptOf.get(number);
    kept[Math.floor(keptOrdinal / 8)]! |= 1 << keptOrdinal % 8;
  }
  return { kept, ranges };
}

/** Whether `refresh` put this shard in once more, for its source's weight. */
function isRepeat({ meta }: Shard): boolean {
  return Number(meta?.copy ?? 1) > 1;
}

/** SHA-256 of a text in Unicode's NFC with every run of white space as one space. */
function textDigest(text: string): Buffer {
  return createHash('sha256').update(text.normalize('NFC').replace(/\s+/gu, ' ').trim()).digest();
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
