import type { Shard } from '../../src/core/data.ts';
import { defineStage } from '../../src/core/stage.ts';
import { reportMetrics } from '../../src/corpus/corpus-report.ts';
import { isRepeat } from '../../src/corpus/duplicates.ts';
import { StoredSignatures } from '../../src/text/minhash/signed-documents.ts';
import { Texts, type Config } from './texts.ts';

/** The part of deduplication that compares all documents with all: it reads their signatures only. */
export default defineStage<Config>({
  description: 'Find the documents for `deduplicate` to drop, by their signatures alone.',
  inputs: {
    documents: { contract: 'documents', description: 'documents to compare, all with all', many: true },
    signatures: { contract: 'signatures', description: 'their signatures', madeBy: 'sign' },
  },
  outputs: {
    duplicates: { contract: 'duplicates', description: 'which rows of which shard to drop, and why' },
    metrics: {
      contract: 'metrics',
      description: 'how many documents were compared, and how many of them are `duplicates` and `near_duplicates`',
      optional: true,
    },
  },
  async run(context) {
    const inputs = context.datasets('documents');
    const signatures = new StoredSignatures(context.dataset('signatures'));
    const total = inputs.reduce((sum, input) => sum + input.rowCount, 0);
    const texts = new Texts(total, context.config);
    const compared: { readonly shard: Shard; readonly occurrence: number; readonly first: number }[] = [];
    const occurrences = new Map<string, number>();
    const firsts = new Map<string, number>();
    let next = 0;
    for (const shard of inputs.flatMap((input) => input.shards)) {
      const occurrence = (occurrences.get(shard.digest) ?? 0) + 1;
      occurrences.set(shard.digest, occurrence);
      const first = isRepeat(shard) ? firsts.get(shard.digest) : undefined;
      compared.push({ shard, occurrence, first: first ?? next });
      if (first !== undefined) continue;
      firsts.set(shard.digest, next);
      for await (const document of signatures.read(shard)) {
        texts.add(document, next++);
        context.progress(next, total, 'documents', 'comparing');
        context.signal.throwIfAborted();
      }
    }

    const verdicts = new Uint8Array(next).fill(verdict.duplicate);
    for (const { at, isNearDuplicate } of texts.choose())
      verdicts[at] = isNearDuplicate ? verdict.nearDuplicate : verdict.kept;
    const out = context.writer('duplicates');
    for (const { shard, occurrence, first } of compared) {
      const rowsOf = (wanted: number): Uint32Array => {
        const rows: number[] = [];
        for (let row = 0; row < (shard.rows ?? 0); row++) if (verdicts[first + row] === wanted) rows.push(row);
        return Uint32Array.from(rows);
      };
      await out.add({ duplicates: rowsOf(verdict.duplicate), near_duplicates: rowsOf(verdict.nearDuplicate) });
      await out.endShard({ shard: shard.digest, occurrence });
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
