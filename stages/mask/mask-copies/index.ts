import type { Dataset } from '../../../src/core/data.ts';
import { defineStage } from '../../../src/core/stage.ts';
import { CorpusReport } from '../../../src/corpus/corpus-report.ts';
import { checkIds, sequencesOf } from '../../../src/masking/sequence-rows.ts';
import { maskSettings } from '../../../src/masking/mask-settings.ts';
import { MaskStatistics } from '../../../src/masking/mask-statistics.ts';
import { createMaskPlan, maskSequence } from '../../../src/masking/masking.ts';
import type { Config } from './config.ts';

/** Static masking, shard by shard. */
export default defineStage<Config>({
  description: 'Write masked copies of sequences.',
  inputs: {
    sequences: { contract: 'sequences', description: 'packed sequences' },
    repeats: {
      contract: 'repeats',
      description: 'how often each shard occurred before; one shard per shard of sequences',
    },
    tokenizer: { contract: 'tokenizer', description: 'tokenizer of the sequences' },
  },
  outputs: {
    copies: { contract: 'masked-copies', description: 'masked copies of each shard, one shard per copy' },
    metrics: {
      contract: 'metrics',
      description: '`masked` by replacement, and tokens and masked tokens by source',
    },
  },
  map: ['sequences', 'repeats'],
  async run(context) {
    const { config } = context;
    const input = context.dataset('sequences');
    const repeat = await repeatOf(context.dataset('repeats'));
    const plan = createMaskPlan(maskSettings(config, 'static', context.folder('tokenizer')!.path));
    const statistics = new MaskStatistics(plan);
    const out = context.writer('copies');
    // Copy k is masked as epoch k would be.
    for (let copy = 0; copy < config.copies; copy++) {
      for await (const { ids, starts, pair, number, row, shard, source } of sequencesOf(input)) {
        if (copy === 0) checkIds(ids, plan.vocab_size, number + 1);
        // Numbered within the shard, not within the dataset, so that a shard inserted before it changes nothing.
        const masked = maskSequence(
          plan,
          ids,
          starts,
          copy,
          parseInt(shard.digest.slice(0, 12), 16) + repeat * 1e9 + row,
        );
        await out.add({ ...masked, word_starts: starts, ...pair });
        statistics.add(source, ids, masked);
        context.progress(copy * input.rowCount + number + 1, config.copies * input.rowCount, 'sequences');
        context.signal.throwIfAborted();
      }
      await out.endShard({ copy });
    }
    const report = new CorpusReport(context);
    statistics.report((name, label, by) => report.add(name, label, by));
    await report.end();
  },
});

/** Which occurrence of the shard in the dataset this is, from 1. */
async function repeatOf(repeats: Dataset): Promise<number> {
  for await (const { repeat } of repeats.rows()) return Number(repeat);
  return 1;
}
