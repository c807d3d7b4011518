// Generated from schemas/stages/mask/mask-copies.schema.json by `npm run generate`.

export interface Config {
  readonly copies: number;
  readonly mlm_probability: number;
  readonly mlm_probability_end?: number;
  readonly epochs: number;
  readonly whole_word: boolean;
  readonly max_span_length: number;
  readonly span_p: number;
  readonly mask_replace_prob: number;
  readonly random_replace_prob: number;
  readonly seed: number;
}
