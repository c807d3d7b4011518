import { defineStage } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/corpus/corpus-report.ts';
import { isRepeat } from '../../src/corpus/duplicates.ts';
import { DocumentSigner, signatureRow, type SigningMethod } from '../../src/text/minhash/signed-documents.ts';

/**
 * Documents whose signatures go into one shard: some 40 MB, so that it ends, with its meta, before the writer's own
 * limit.
 */
const shardDocuments = 200_000;

interface Config {
  readonly method: SigningMethod;
}

/**
 * The part of deduplication that looks at texts: shard by shard, so that it runs on all cores and once for each shard.
 */
export default defineStage<Config>({
  description:
    'Sign documents for `find-duplicates`, shard by shard: a digest and a MinHash signature of each, so that ' +
    'texts signed once need not be read again.',
  inputs: {
    documents: {
      contract: 'documents',
      description: 'documents that are to be compared, before or after `refresh`',
      many: true,
    },
  },
  outputs: {
    signatures: { contract: 'signatures', description: 'what to compare the documents by' },
    metrics: { contract: 'metrics', description: 'documents and bytes, lengths, languages, domains', optional: true },
  },
  map: 'documents',
  async run(context) {
    const report = new CorpusReport(context);
    const { method } = context.config;
    const signer = new DocumentSigner();
    const out = context.writer('signatures');
    const input = context.dataset('documents');
    let done = 0;
    for (const shard of input.shards) {
      if (isRepeat(shard)) continue;
      let first = 0,
        next = 0;
      for await (const row of input.select([shard]).rows()) {
        const text = row.text as string;
        report.read(text);
        await out.add(signatureRow(signer.sign(text, row.snapshot as string), method));
        report.keep(row);
        if (++next % shardDocuments === 0) {
          await out.endShard({ shard: shard.digest, first });
          first = next;
        }
        context.progress(++done, input.rowCount, 'documents', 'signing');
        context.signal.throwIfAborted();
      }
      await out.endShard({ shard: shard.digest, first });
    }
    await report.end();
  },
});
