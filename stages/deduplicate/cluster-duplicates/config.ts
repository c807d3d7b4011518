// Generated from schemas/stages/deduplicate/cluster-duplicates.schema.json by `npm run generate`.

export interface Config {
  readonly method: 'exact' | 'minhash';
  readonly min_similarity: number;
  readonly within: 'all' | 'snapshot';
}
