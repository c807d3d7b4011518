import { loadTokenizer } from '../text/bpe/files.ts';
import { markSpecial, type MaskSettings } from './masking.ts';

/** The part of the `mask` stage's config that describes how to mask. */
export interface MaskConfig {
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

/** Settings from a stage's config and the tokenizer of the sequences. */
export function maskSettings(config: MaskConfig, mode: MaskSettings['mode'], tokenizerFolder: string): MaskSettings {
  const { tokens, special, specialIds } = loadTokenizer(tokenizerFolder);
  return {
    mode,
    mlm_probability: config.mlm_probability,
    ...(config.mlm_probability_end === undefined ? {} : { mlm_probability_end: config.mlm_probability_end }),
    epochs: config.epochs,
    seed: config.seed,
    mask_replace_prob: config.mask_replace_prob,
    random_replace_prob: config.random_replace_prob,
    whole_word: config.whole_word,
    max_span_length: config.max_span_length,
    span_p: config.span_p,
    special_ids: specialIds,
    mask_id: special.mask,
    vocab_size: tokens.length,
  };
}

/** Which ids of a tokenizer are special tokens: 1 for these. */
export function specialOf(tokenizerFolder: string): Uint8Array {
  const { tokens, specialIds } = loadTokenizer(tokenizerFolder);
  return markSpecial(specialIds, tokens.length);
}
