/** A RoBERTa architecture, in the words and defaults of Hugging Face's `config.json`. */
export interface RobertaConfig {
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  /** Longest sequence + 2: positions count from 2, after the padding id (so 514 for 512). */
  readonly max_position_embeddings: number;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  readonly layer_norm_eps: number;
  readonly initializer_range: number;
  /** Ids of `<s>` and `</s>` for whoever loads the model; default: RoBERTa's, 0 and 2. No computation needs them. */
  readonly bos_token_id?: number;
  readonly eos_token_id?: number;
}

export type Dimensions = Pick<
  RobertaConfig,
  'hidden_size' | 'num_hidden_layers' | 'num_attention_heads' | 'intermediate_size'
>;

/**
 * `base` and `large` are Liu et al. 2019's; the smaller ones keep 64 (32 for tiny) dimensions per head and a ×4
 * feed-forward layer.
 */
export const presets = {
  tiny: { hidden_size: 128, num_hidden_layers: 2, num_attention_heads: 4, intermediate_size: 512 },
  mini: { hidden_size: 256, num_hidden_layers: 4, num_attention_heads: 4, intermediate_size: 1024 },
  small: { hidden_size: 512, num_hidden_layers: 4, num_attention_heads: 8, intermediate_size: 2048 },
  medium: { hidden_size: 512, num_hidden_layers: 8, num_attention_heads: 8, intermediate_size: 2048 },
  base: { hidden_size: 768, num_hidden_layers: 12, num_attention_heads: 12, intermediate_size: 3072 },
  large: { hidden_size: 1024, num_hidden_layers: 24, num_attention_heads: 16, intermediate_size: 4096 },
} as const satisfies Record<string, Dimensions>;

export type Preset = keyof typeof presets;

/** Ids that RoBERTa fixes; `<mask>` is last in the vocabulary. */
export const specialIds = { bos: 0, pad: 1, eos: 2, unk: 3 } as const;

/** Rows of the position table that no sequence position uses: positions start at pad id + 1. */
export const positionOffset = specialIds.pad + 1;

/** Tokens of the longest sequence that a model has positions for. */
export function maxTokens({ max_position_embeddings }: Pick<RobertaConfig, 'max_position_embeddings'>): number {
  return max_position_embeddings - positionOffset;
}

/** Problems with an architecture; empty when there are none. */
export function checkArchitecture(config: Partial<RobertaConfig>): { property: string; message: string }[] {
  const problems: { property: string; message: string }[] = [];
  const { hidden_size: hidden, num_attention_heads: heads } = config;
  if (hidden !== undefined && heads !== undefined && hidden % heads !== 0)
    problems.push({
      property: 'num_attention_heads',
      message: `hidden_size ${hidden} is not a multiple of num_attention_heads ${heads}`,
    });
  const positions = config.max_position_embeddings;
  if (positions !== undefined && positions <= positionOffset)
    problems.push({
      property: 'max_position_embeddings',
      message:
        `max_position_embeddings ${positions} leaves no room for a token: RoBERTa's positions count from ` +
        `${positionOffset}, so it is the longest sequence plus ${positionOffset}`,
    });
  return problems;
}

/** A preset, overridden by values that the pipeline sets explicitly. */
export function dimensionsOf(
  preset: Preset,
  explicit: { readonly [K in keyof Dimensions]?: number | undefined },
): Dimensions {
  const base = presets[preset];
  return {
    hidden_size: explicit.hidden_size ?? base.hidden_size,
    num_hidden_layers: explicit.num_hidden_layers ?? base.num_hidden_layers,
    num_attention_heads: explicit.num_attention_heads ?? base.num_attention_heads,
    intermediate_size:
      explicit.intermediate_size ??
      (explicit.hidden_size === undefined ? base.intermediate_size : 4 * explicit.hidden_size),
  };
}
