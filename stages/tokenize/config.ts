// Generated from schemas/stages/tokenize.schema.json by `npm run generate`.

export interface Config {
  readonly max_length: number;
  readonly min_length: number;
  readonly packing: 'full-sentences' | 'doc-sentences' | 'segment-pair' | 'sentence-pair';
  readonly word_segmentation: 'whitespace' | 'jieba' | 'auto';
  readonly held_out: number;
}
