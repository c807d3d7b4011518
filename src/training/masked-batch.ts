import { ignoredLabel } from '../ops/ignored-label.ts';
import type { MaskPlan } from '../masking/masking.ts';
import { specialIds } from '../model/config.ts';
import type { Batch } from '../model/roberta.ts';

/** Token ids, and what was at masked positions. Lists of ids may be of any number type. */
interface Masked {
  readonly input_ids: ArrayLike<number>;
  readonly positions: ArrayLike<number>;
  readonly labels: ArrayLike<number>;
  readonly next_sentence_label?: number;
}

/**
 * Masked sequences as one batch. `positions` count in the flattened batch. Both lists are filled up to a fixed size
 * with position 0 and {@link ignoredLabel}, which adds nothing to the loss or to a gradient.
 */
export interface MaskedBatch extends Batch {
  readonly positions: Int32Array<ArrayBuffer>;
  readonly labels: Int32Array<ArrayBuffer>;
  /** For each pair: 0 when the second half follows the first, 1 when it is from elsewhere. */
  readonly next_sentence_labels?: Int32Array<ArrayBuffer>;
  /** Number of labels that count. */
  readonly labelCount: number;
  /** Number of tokens that are not padding. */
  readonly tokens: number;
}

/** Sequences as one batch, padded to `length`, by default that of the longest. */
export function padded(
  sequences: readonly ArrayLike<number>[],
  length = sequences.reduce((longest, { length }) => Math.max(longest, length), 0),
): Batch {
  const input_ids = new Int32Array(sequences.length * length).fill(specialIds.pad);
  for (const [row, ids] of sequences.entries()) input_ids.set(ids, row * length);
  return { input_ids, batch: sequences.length, length };
}

/** @param slots size of the lists of positions and labels; where more are masked, it grows by eighths of itself */
export function maskedBatch(sequences: readonly Masked[], length: number, slots: number): MaskedBatch {
  const labelCount = sequences.reduce((sum, { labels }) => sum + labels.length, 0);
  const eighth = Math.ceil(slots / 8);
  const size = slots + Math.max(0, Math.ceil((labelCount - slots) / eighth)) * eighth;
  const positions = new Int32Array(size);
  const labels = new Int32Array(size).fill(ignoredLabel);
  let at = 0;
  for (const [row, sequence] of sequences.entries()) {
    for (let i = 0; i < sequence.positions.length; i++)
      positions[at + i] = row * length + (sequence.positions[i] as number);
    labels.set(sequence.labels, at);
    at += sequence.labels.length;
  }
  const pairs = sequences.flatMap(({ next_sentence_label }) => next_sentence_label ?? []);
  return {
    ...(pairs.length === 0 ? {} : { next_sentence_labels: Int32Array.from(pairs) }),
    ...padded(
      sequences.map(({ input_ids }) => input_ids),
      length,
    ),
    positions,
    labels,
    labelCount,
    tokens: sequences.reduce((sum, { input_ids }) => sum + input_ids.length, 0),
  };
}

/** Lengths of a data set's sequences, in tokens. */
export interface LengthStatistics {
  readonly longest: number;
  readonly mean: number;
  readonly variance: number;
}

/**
 * Number of labels that a batch has room for, so that nearly all batches of a data set have one shape: the mean number
 * of masked tokens plus four standard deviations, or all that can be masked. Of a sequence's n ordinary tokens (`<s>`
 * and `</s>` are none) ⌊mlm_probability·n⌋ or ⌈mlm_probability·n⌉ are masked, whole words and spans pass that or fall
 * short by some tokens.
 */
export function labelSlots(
  { mlm_probability, mlm_probability_end = mlm_probability, whole_word, max_span_length }: MaskPlan,
  { longest, mean, variance }: LengthStatistics,
  batch_size: number,
): number {
  const share = Math.max(mlm_probability, mlm_probability_end);
  const units = whole_word || max_span_length > 1;
  const usual =
    batch_size * share * (mean - 2) + 4 * Math.sqrt(batch_size * (share ** 2 * variance + (units ? 4 : 1 / 4)));
  return Math.max(1, Math.ceil(units ? usual : Math.min(usual, batch_size * Math.ceil(share * (longest - 2)))));
}
