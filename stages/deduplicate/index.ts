import type { Shard } from '../../src/core/data.ts';
import { defineStage } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/data/corpus-report.ts';
import { ShardedDocuments } from '../../src/data/sharded-documents.ts';
import { chooseDocuments, type Config } from './choose.ts';

/** Deduplication in two passes: choose the documents to keep, then write those. */
export default defineStage<Config>({
  description: 'Drop documents whose text is that of another one, white space aside, or nearly so (MinHash); the one of the oldest snapshot stays.',
  inputs: {
    documents: { contract: 'documents', description: 'documents to compare, all with all', many: true },
    signatures: { contract: 'signatures', description: 'signatures of the documents, of these and maybe of others, from `sign`; without them every text is signed anew', many: true, optional: true },
  },
  outputs: {
    documents: { contract: 'documents', description: 'one document of each text' },
    metrics: { contract: 'metrics', description: 'documents, bytes, duplicates and near duplicates, lengths, languages, domains', optional: true },
  },
  async run(context) {
    const inputs = context.datasets('documents');
    const choice = await chooseDocuments(inputs, context);
    const total = inputs.reduce((sum, input) => sum + input.rowCount, 0);
    const report = new CorpusReport(context);
    const writer = context.writer('documents');
    const documents = new ShardedDocuments(writer);
    context.count('dropped.duplicate', 0); // told even when there are none
    let done = 0;
    for (const input of inputs)
      for (const shard of input.shards) {
        const kept = choice.keptOf(shard);
        // Nothing to drop: the same bytes under the same digest, so what follows need not look at the shard again.
        const isLinked = kept > 0 && kept === shard.rows && saysWhatItHolds(shard);
        if (isLinked) {
          await documents.end();
          writer.link(shard);
        }
        let number = 0;
        for await (const row of input.select([shard]).rows()) {
          report.read(row.text as string);
          const reason = choice.reason(shard, number++);
          if (reason === undefined) {
            report.keep(row);
            if (!isLinked) await documents.add(row);
          } else report.drop(reason);
          context.progress(++done, total, 'documents', 'writing');
          context.signal.throwIfAborted();
        }
      }
    await documents.end();
    await report.end();
  },
});

/** Whether `refresh` can tell from the shard's meta what is in it; if not, it is written anew with meta. */
function saysWhatItHolds({ meta }: Shard): boolean {
  return typeof meta?.source === 'string' && typeof meta.snapshot === 'string';
}
