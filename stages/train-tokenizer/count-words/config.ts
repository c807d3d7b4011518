// Generated from schemas/stages/train-tokenizer/count-words.schema.json by `npm run generate`.

export interface Config {
  readonly word_segmentation: 'whitespace' | 'jieba' | 'auto';
  readonly sample: number;
}
