import type { StageContext } from '../../../src/core/stage.ts';
import { PairCounts, type TokenFrequencies } from '../../../src/masking/importance.ts';

/** The counts of `count-tokens`, for all shards. */
export async function readTokenCounts(context: StageContext<unknown>, vocabSize: number): Promise<TokenFrequencies> {
  const counts = new Float64Array(vocabSize),
    sequencesWith = new Float64Array(vocabSize);
  const dataset = context.dataset('token_counts');
  for await (const { token_id: id, count, sequences: having } of dataset.rows()) {
    counts[Number(id)]! += Number(count);
    sequencesWith[Number(id)]! += Number(having);
  }
  return {
    counts,
    sequencesWith,
    sequences: dataset.shards.reduce((sum, { meta }) => sum + Number(meta?.sequences ?? 0), 0),
  };
}

/** Approximate number of sampled tokens in the shards whose pairs are added up: a bound for memory. */
const pairTokens = 8_000_000;

/**
 * The counts of `count-pairs`: for all shards, or for some that are evenly spread if those suffice. Empty when it did
 * not run.
 */
export async function readPairCounts(
  context: StageContext<unknown>,
  isSpecial: Uint8Array,
): Promise<ReadonlyMap<number, number>> {
  const sum = new PairCounts(isSpecial);
  if (!context.has('pair_counts')) return sum.pairs;
  const dataset = context.dataset('pair_counts');
  const sampled = dataset.shards.reduce((tokens, { meta }) => tokens + Number(meta?.tokens ?? 0), 0);
  const everyNth = Math.max(1, Math.ceil(sampled / pairTokens));
  for await (const { left, right, count } of dataset
    .select(dataset.shards.filter((_, index) => index % everyNth === 0))
    .rows())
    sum.addPair(Number(left), Number(right), Number(count));
  return sum.pairs;
}
