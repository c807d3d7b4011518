import type { StageContext } from '../../src/core/stage.ts';
import { PairCounts, type TokenFrequencies } from '../../src/text/importance.ts';

/** What `count-tokens` counted, of all shards. */
export async function readTokenCounts(context: StageContext<unknown>, vocabSize: number): Promise<TokenFrequencies> {
  const counts = new Float64Array(vocabSize), sequencesWith = new Float64Array(vocabSize);
  let sequences = 0;
  for (const dataset of context.datasets('token_counts')) {
    for (const { meta } of dataset.shards) sequences += Number(meta?.sequences ?? 0);
    for await (const { token_id: id, count, sequences: having } of dataset.rows()) {
      counts[Number(id)]! += Number(count);
      sequencesWith[Number(id)]! += Number(having);
    }
  }
  return { counts, sequencesWith, sequences };
}

/** Shards whose pairs are added up: with a million tokens of each, enough, and a bound for memory. */
const pairShards = 8;

/** What `count-pairs` counted, of some shards evenly spread; none where it was not asked to. */
export async function readPairCounts(context: StageContext<unknown>, isSpecial: Uint8Array): Promise<ReadonlyMap<number, number>> {
  const all = context.datasets('pair_counts').flatMap((dataset) => dataset.shards.map((shard) => dataset.select([shard])));
  const everyNth = Math.ceil(all.length / pairShards);
  const sum = new PairCounts(isSpecial);
  for (const dataset of all.filter((_, index) => index % everyNth === 0))
    for await (const { left, right, count } of dataset.rows()) sum.addPair(Number(left), Number(right), Number(count));
  return sum.pairs;
}
