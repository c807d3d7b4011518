import { defineStage } from '../../../src/core/stage.ts';

/**
 * Static masking must mask each occurrence of a shard differently, which a key made of its bytes alone could not do,
 * and must not depend on the other shards.
 */
export default defineStage({
  description: 'Number the occurrences of shards that the weights of `refresh` repeat.',
  inputs: { sequences: { contract: 'sequences', description: 'packed sequences' } },
  outputs: {
    repeats: {
      contract: 'repeats',
      description: 'which occurrence of the shard it is; one shard per shard of sequences',
    },
  },
  async run(context) {
    const seen = new Map<string, number>();
    const out = context.writer('repeats');
    for (const { digest } of context.dataset('sequences').shards) {
      const repeat = (seen.get(digest) ?? 0) + 1;
      seen.set(digest, repeat);
      await out.add({ repeat });
      await out.endShard();
    }
  },
});
