import { defineStage } from '../../../src/core/stage.ts';
import { reportCounts } from '../../../src/corpus/corpus-report.ts';
import { checkedSequences } from '../../../src/masking/sequence-rows.ts';
import { PairCounts } from '../../../src/masking/importance.ts';
import { specialOf } from '../../../src/masking/mask-settings.ts';

/** Approximate number of tokens per shard in which pairs are counted; 32 shards have as many as `mask` adds up. */
const sampledTokens = 250_000;

/** What importance by pointwise mutual information needs to know about the sequences, shard by shard. */
export default defineStage({
  description: 'Count neighbouring tokens in a sample of sequences.',
  inputs: {
    sequences: { contract: 'sequences', description: 'packed sequences' },
    tokenizer: { contract: 'tokenizer', description: 'tokenizer of the sequences' },
  },
  outputs: {
    pair_counts: {
      contract: 'pair-counts',
      description: 'how often each token follows each other one in the sample of a shard',
    },
    metrics: {
      contract: 'metrics',
      description: 'sampled `sequences` and distinct `pairs` of each shard',
      optional: true,
    },
  },
  map: 'sequences',
  async run(context) {
    const isSpecial = specialOf(context.folder('tokenizer')!.path);
    const counter = new PairCounts(isSpecial);
    let sampled = 0,
      tokens = 0;
    const everyNth = Math.ceil(context.dataset('sequences').bytes / 4 / sampledTokens); // a token takes four bytes
    for await (const { ids, number } of checkedSequences(context, isSpecial.length)) {
      if (number % everyNth !== 0) continue;
      counter.add(ids);
      sampled++;
      tokens += ids.length;
    }
    const out = context.writer('pair_counts');
    for (const [key, count] of counter.pairs)
      await out.add({ left: Math.floor(key / isSpecial.length), right: key % isSpecial.length, count });
    await out.endShard({ tokens });
    await reportCounts(context, { sequences: sampled, pairs: counter.pairs.size });
  },
});
