import type { Dataset, Shard } from '../core/data.ts';
import { fail } from '../core/diagnostic.ts';

/** Why a document is dropped. */
export type DropReason = 'duplicate' | 'near_duplicate';

/** Whether `refresh` put this shard in once more, for its source's weight: its documents are no duplicates of themselves. */
export function isRepeat({ meta }: Shard): boolean {
  return Number(meta?.copy ?? 1) > 1;
}

/**
 * The rows of a shard of documents that are to be dropped, as the `find-duplicates` stage left them. Fails with
 * `not-compared` where it has not seen the shard.
 */
export async function duplicatesOf(shard: Shard, datasets: readonly Dataset[]): Promise<ReadonlyMap<number, DropReason>> {
  const occurrence = isRepeat(shard) ? 1 : (shard.occurrence ?? 1);
  for (const dataset of datasets) {
    const found = dataset.shards.find(({ meta }) => meta?.shard === shard.digest && meta.occurrence === occurrence);
    if (found === undefined) continue;
    const reasons = new Map<number, DropReason>();
    for await (const { duplicates, near_duplicates: near } of dataset.select([found]).rows()) {
      for (const row of duplicates as Uint32Array) reasons.set(row, 'duplicate');
      for (const row of near as Uint32Array) reasons.set(row, 'near_duplicate');
    }
    return reasons;
  }
  return fail('not-compared', `The documents in ${shard.path} have not been compared with the others.`, 'Leave out `duplicates`, or connect it to a `find-duplicates` stage that takes all that `documents` takes.');
}
