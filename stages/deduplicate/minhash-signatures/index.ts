import { defineStage } from '../../../src/core/stage.ts';
import { documentsOf } from '../../../src/corpus/documents-of.ts';
import { CorpusReport } from '../../../src/corpus/corpus-report.ts';
import { DocumentSigner, signatureRow } from '../../../src/text/minhash/signed-documents.ts';
import { isRepeat } from '../duplicates.ts';
import type { Config } from './config.ts';

/** The part of deduplication that reads texts. It runs per shard, so it uses all cores and reads each shard once. */
export default defineStage<Config>({
  description:
    'Write a digest and a MinHash signature of each document, about 200 bytes, for comparing documents. Shards ' +
    'that `refresh` repeats are skipped.',
  inputs: { documents: { contract: 'documents', description: 'documents to compare', many: true } },
  outputs: {
    signatures: { contract: 'signatures', description: 'signatures of the documents, in their order' },
    metrics: { contract: 'metrics', description: 'documents and bytes, lengths, languages, domains', optional: true },
  },
  map: 'documents',
  async run(context) {
    const report = new CorpusReport(context);
    const { method } = context.config;
    const signer = new DocumentSigner();
    const out = context.writer('signatures');
    if (!context.dataset('documents').shards.some(isRepeat))
      for await (const { document } of documentsOf(context, report, 'signing')) {
        await out.add(signatureRow(signer.sign(document.text, document.snapshot), method));
        report.keep(document);
      }
    await report.end();
  },
});
