import { defineStage } from '../../../src/core/stage.ts';

/**
 * Static masking must mask a shard differently each time that it is among the sequences, which a key made of its bytes
 * alone could not tell; and the same whatever else is among them.
 */
export default defineStage({
  description: 'Number the shards that are among sequences several times, as weights of `refresh` put them there.',
  inputs: { sequences: { contract: 'sequences', description: 'packed sequences' } },
  outputs: {
    repeats: { contract: 'repeats', description: 'which time it is that a shard is there, a shard per shard' },
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
