// Generated from schemas/stages/mask/plan-masks.schema.json by `npm run generate`.

export interface Config {
  readonly mode: 'static' | 'dynamic' | 'importance';
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
  readonly importance: 'surprisal' | 'tf-idf' | 'pmi';
  readonly favour: 'unimportant' | 'important';
  readonly strength: number;
}
