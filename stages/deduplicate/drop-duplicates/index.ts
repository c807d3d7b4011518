import type { Shard } from '../../../src/core/data.ts';
import { defineStage } from '../../../src/core/stage.ts';
import { CorpusReport } from '../../../src/corpus/corpus-report.ts';
import { ShardedDocuments } from '../../../src/corpus/sharded-documents.ts';
import { readDuplicates } from '../duplicates.ts';

/** Drops what `cluster-duplicates` found, shard by shard. */
export default defineStage({
  description: 'Drop the documents that are duplicates of others.',
  inputs: {
    documents: { contract: 'documents', description: 'all documents', many: true },
    duplicates: { contract: 'duplicates', description: 'which of them to drop: a shard per shard' },
  },
  outputs: {
    documents: { contract: 'documents', description: 'one document of each text' },
    metrics: {
      contract: 'metrics',
      description: 'documents, bytes, duplicates and near duplicates, lengths, languages, domains',
      optional: true,
    },
  },
  map: ['documents', 'duplicates'],
  async run(context) {
    const input = context.dataset('documents');
    const dropped = await readDuplicates(context.dataset('duplicates'));
    const report = new CorpusReport(context);
    const writer = context.writer('documents');
    const documents = new ShardedDocuments(writer);
    context.count('dropped.duplicate', 0); // told even when there are none
    // Nothing to drop: the same bytes under the same digest, so what follows need not look at the shard again.
    const isLinked = dropped.size === 0 && input.rowCount > 0 && input.shards.every(saysWhatItHolds);
    if (isLinked) for (const shard of input.shards) writer.link(shard);
    let number = 0;
    for await (const row of input.rows()) {
      report.read(row.text as string);
      const reason = dropped.get(number++);
      if (reason === undefined) {
        report.keep(row);
        if (!isLinked) await documents.add(row);
      } else report.drop(reason);
      context.progress(number, input.rowCount, 'documents');
      context.signal.throwIfAborted();
    }
    await documents.end();
    await report.end();
  },
});

/** Whether `refresh` can tell from the shard's meta what is in it; if not, it is written anew with meta. */
function saysWhatItHolds({ meta }: Shard): boolean {
  return typeof meta?.source === 'string' && typeof meta.snapshot === 'string';
}
