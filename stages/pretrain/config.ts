// Generated from schemas/stages/pretrain.schema.json by `npm run generate`.

export interface Config {
  readonly size: 'tiny' | 'mini' | 'small' | 'medium' | 'base' | 'large';
  readonly hidden_size?: number;
  readonly num_hidden_layers?: number;
  readonly num_attention_heads?: number;
  readonly intermediate_size?: number;
  readonly max_length?: number;
  readonly max_position_embeddings?: number;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  readonly layer_norm_eps: number;
  readonly initializer_range: number;
  readonly batch_size: number;
  readonly gradient_accumulation_steps: number;
  readonly max_steps: number;
  readonly learning_rate: number;
  readonly warmup_steps?: number;
  readonly warmup_ratio: number;
  readonly weight_decay: number;
  readonly adam_beta1: number;
  readonly adam_beta2: number;
  readonly adam_epsilon: number;
  readonly seed: number;
  readonly backend: 'auto' | 'torch' | 'tensorflow' | 'wasm' | 'cpu';
  readonly precision: 'fp32' | 'bf16';
  readonly save_steps: number;
  readonly logging_steps: number;
  readonly max_bad_steps: number;
}
