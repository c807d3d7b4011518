// Generated from schemas/stages/evaluate.schema.json by `npm run generate`.

export interface Config {
  readonly mlm_probability: number;
  readonly batch_size: number;
  readonly max_sequences?: number;
  readonly backend: 'auto' | 'torch' | 'tensorflow' | 'wasm' | 'cpu';
  readonly precision: 'fp32' | 'bf16';
}
