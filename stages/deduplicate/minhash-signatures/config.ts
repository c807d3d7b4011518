// Generated from schemas/stages/deduplicate/minhash-signatures.schema.json by `npm run generate`.

export interface Config {
  readonly method: 'exact' | 'minhash';
}
