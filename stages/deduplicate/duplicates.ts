import type { Dataset, Shard } from '../../src/core/data.ts';

/** Why a document is dropped. */
export type DropReason = 'duplicate' | 'near_duplicate';

/**
 * Whether `refresh` repeated this shard because of its source's weight. Its documents are not duplicates of themselves.
 */
export function isRepeat({ meta }: Shard): boolean {
  return Number(meta?.copy ?? 1) > 1;
}

/** The rows of a shard to drop, as `cluster-duplicates` recorded them. */
export async function readDuplicates(duplicates: Dataset): Promise<ReadonlyMap<number, DropReason>> {
  const reasons = new Map<number, DropReason>();
  for await (const row of duplicates.rows()) {
    for (const number of row.duplicates as Uint32Array) reasons.set(number, 'duplicate');
    for (const number of row.near_duplicates as Uint32Array) reasons.set(number, 'near_duplicate');
  }
  return reasons;
}
