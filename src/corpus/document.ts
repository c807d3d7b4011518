import type { Row, Shard } from '../core/data.ts';

/** A row of contract `documents`. */
export type Document = Row & Record<'id' | 'source' | 'snapshot' | 'url' | 'title' | 'text' | 'lang' | 'meta', string>;

/** Whether the meta of a shard describes its documents; shards from a shell step have none. */
export function saysWhatItHolds({ meta }: Shard): boolean {
  return typeof meta?.source === 'string' && typeof meta.snapshot === 'string';
}
