import { defineStage } from '../../../src/core/stage.ts';
import { reportCounts } from '../../../src/corpus/corpus-report.ts';
import { checkedSequences } from '../../../src/masking/sequence-rows.ts';
import { TokenCounts } from '../../../src/masking/importance.ts';
import { specialOf } from '../../../src/masking/mask-settings.ts';

/** What every mask plan needs to know about the sequences, shard by shard. */
export default defineStage({
  description: 'Count the tokens of sequences.',
  inputs: {
    sequences: { contract: 'sequences', description: 'packed sequences' },
    tokenizer: { contract: 'tokenizer', description: 'tokenizer of the sequences' },
  },
  outputs: {
    token_counts: { contract: 'token-counts', description: 'how often each token occurs in each shard' },
    metrics: {
      contract: 'metrics',
      description: '`sequences` and non-special `tokens` (label `in`)',
      optional: true,
    },
  },
  map: 'sequences',
  async run(context) {
    const isSpecial = specialOf(context.folder('tokenizer')!.path);
    const counter = new TokenCounts(isSpecial);
    for await (const { ids } of checkedSequences(context, isSpecial.length)) counter.add(ids);
    const out = context.writer('token_counts');
    let tokens = 0;
    for (const [token_id, count] of counter.counts.entries()) {
      if (count > 0) await out.add({ token_id, count, sequences: counter.sequencesWith[token_id]! });
      tokens += count;
    }
    await out.endShard({ sequences: counter.sequences });
    await reportCounts(context, { sequences: counter.sequences, tokens });
  },
});
