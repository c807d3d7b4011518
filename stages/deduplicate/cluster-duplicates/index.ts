import type { Shard } from '../../../src/core/data.ts';
import { defineStage } from '../../../src/core/stage.ts';
import { reportMetrics } from '../../../src/corpus/corpus-report.ts';
import { storedSignatures } from '../../../src/text/minhash/signed-documents.ts';
import { isRepeat } from '../duplicates.ts';
import type { Config } from './config.ts';
import { Texts } from './texts.ts';

/** The part of deduplication that compares all documents with each other. It reads only their signatures. */
export default defineStage<Config>({
  description:
    'Find the documents to drop by their signatures. Needs 40 bytes of memory per document, 210 with MinHash.',
  inputs: {
    documents: { contract: 'documents', description: 'documents to compare with each other', many: true },
    signatures: { contract: 'signatures', description: 'their signatures, in the same order' },
  },
  outputs: {
    duplicates: {
      contract: 'duplicates',
      description: 'which rows to drop, and why; one shard per shard of documents',
    },
    metrics: {
      contract: 'metrics',
      description: 'number of documents compared, and of `duplicates` and `near_duplicates` among them',
      optional: true,
    },
  },
  async run(context) {
    const shards = context.datasets('documents').flatMap((input) => input.shards);
    const signatures = storedSignatures(context.dataset('signatures'));
    const total = shards.reduce((sum, { rows = 0 }) => sum + rows, 0);
    const texts = new Texts(total, context.config);
    const compared: { readonly shard: Shard; readonly first: number }[] = [];
    const firsts = new Map<string, number>();
    let next = 0;
    for (const shard of shards) {
      if (isRepeat(shard)) {
        const first = firsts.get(shard.digest);
        if (first === undefined) throw new TypeError(`${shard.path} repeats a shard that is not among the documents`);
        compared.push({ shard, first });
        continue;
      }
      compared.push({ shard, first: next });
      firsts.set(shard.digest, next);
      for (let row = 0; row < (shard.rows ?? 0); row++) {
        const { done, value: document } = await signatures.next();
        if (done === true) throw new TypeError(`signatures are missing for documents in ${shard.path}`);
        texts.add(document, next++);
        context.progress(next, total, 'documents', 'comparing');
        context.signal.throwIfAborted();
      }
    }

    const verdicts = new Uint8Array(next).fill(verdict.duplicate);
    for (const { at, isNearDuplicate } of texts.choose())
      verdicts[at] = isNearDuplicate ? verdict.nearDuplicate : verdict.kept;
    const out = context.writer('duplicates');
    for (const { shard, first } of compared) {
      const rowsOf = (wanted: number): Uint32Array => {
        const rows: number[] = [];
        for (let row = 0; row < (shard.rows ?? 0); row++) if (verdicts[first + row] === wanted) rows.push(row);
        return Uint32Array.from(rows);
      };
      await out.add({ duplicates: rowsOf(verdict.duplicate), near_duplicates: rowsOf(verdict.nearDuplicate) });
      await out.endShard();
    }
    const count = (wanted: number): number => verdicts.reduce((sum, each) => sum + Number(each === wanted), 0);
    await reportMetrics(context, {
      documents: next,
      duplicates: count(verdict.duplicate),
      near_duplicates: count(verdict.nearDuplicate),
    });
  },
});

const verdict = { duplicate: 0, nearDuplicate: 1, kept: 2 };
