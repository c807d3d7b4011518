import { defineStage } from '../../../src/core/stage.ts';
import { CorpusReport } from '../../../src/corpus/corpus-report.ts';
import { DocumentSigner, signatureRow, type SigningMethod } from '../../../src/text/minhash/signed-documents.ts';
import { isRepeat } from '../duplicates.ts';

interface Config {
  readonly method: SigningMethod;
}

/** The part of deduplication that reads texts: shard by shard, so that it uses all cores and reads each shard once. */
export default defineStage<Config>({
  description:
    'Write a digest and a MinHash signature of each document, about 200 bytes, to compare documents by. Those of ' +
    'shards that `refresh` repeats are left out.',
  inputs: { documents: { contract: 'documents', description: 'documents to compare', many: true } },
  outputs: {
    signatures: { contract: 'signatures', description: 'what to compare the documents by, in their order' },
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
      for await (const row of input.select([shard]).rows()) {
        const text = row.text as string;
        report.read(text);
        await out.add(signatureRow(signer.sign(text, row.snapshot as string), method));
        report.keep(row);
        context.progress(++done, input.rowCount, 'documents', 'signing');
        context.signal.throwIfAborted();
      }
    }
    await report.end();
  },
});
