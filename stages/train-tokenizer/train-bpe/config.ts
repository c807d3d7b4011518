// Generated from schemas/stages/train-tokenizer/train-bpe.schema.json by `npm run generate`.

export interface Config {
  readonly vocab_size: number;
  readonly min_frequency: number;
}
