import { defineFilter } from '../../../src/corpus/define-filter.ts';
import { readDuplicates, type DropReason } from '../duplicates.ts';

/** Drops the documents that `cluster-duplicates` found, shard by shard. */
export default defineFilter<Record<string, unknown>, ReadonlyMap<number, DropReason>>({
  description: 'Drop documents that are duplicates of others.',
  inputs: {
    documents: { contract: 'documents', description: 'all documents', many: true },
    duplicates: { contract: 'duplicates', description: 'which of them to drop; one shard per shard of documents' },
  },
  outputs: {
    documents: 'one document per text',
    metrics: 'documents, bytes, duplicates and near-duplicates, lengths, languages, domains',
  },
  map: ['documents', 'duplicates'],
  reasons: ['duplicate'],
  setUp: (context) => readDuplicates(context.dataset('duplicates')),
  // The same bytes under the same digest, so that later stages can reuse their results for the shard.
  keepsAll: (duplicates) => duplicates.size === 0,
  judge: (document, _, { tools: duplicates, number }) => duplicates.get(number) ?? document,
});
