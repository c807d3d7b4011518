// Generated from schemas/stages/fine-tune.schema.json by `npm run generate`.

export interface Config {
  readonly train: string;
  readonly eval: string;
  readonly text_column: string;
  readonly text_pair_column?: string;
  readonly label_column: string;
  readonly max_length?: number;
  readonly batch_size: number;
  readonly epochs: number;
  readonly learning_rate: number;
  readonly warmup_ratio: number;
  readonly weight_decay: number;
  readonly adam_beta1: number;
  readonly adam_beta2: number;
  readonly adam_epsilon: number;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  readonly seed: number;
  readonly backend: 'auto' | 'torch' | 'tensorflow' | 'wasm' | 'cpu';
  readonly precision: 'fp32' | 'bf16';
  readonly max_bad_steps: number;
}
