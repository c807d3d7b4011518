import { loadMaskPlan, type MaskPlanSource } from '../masking/mask-plan.ts';
import { maskSequence, type MaskPlan } from '../masking/masking.ts';
import { samplesOf, type Sample } from './data-order.ts';
import { labelSlots, maskedBatch, type MaskedBatch } from './masked-batch.ts';
import { Sequences, type SequenceLimits, type SequenceShards } from './sequences.ts';

/** Which batches to make, as plain data. */
export interface BatchPlan {
  readonly sequences: SequenceShards;
  /** How to mask sequences that are not masked yet. */
  readonly plan: MaskPlanSource;
  readonly limits: SequenceLimits;
  readonly batch_size: number;
  /** Batches of one optimizer step. */
  readonly batches_per_step: number;
  /** Shuffle with this seed, epoch after epoch without end; default: in order and once. */
  readonly seed?: number;
  /** Use only the first N sequences. */
  readonly max_sequences?: number;
}

/** What a {@link BatchSource} has, as plain data. */
export interface BatchSourceInfo {
  readonly sequences: number;
  readonly tokens: number;
  /** Tokens of the longest sequence. */
  readonly longest: number;
  /** Whether the sequences are pairs with labels, so that batches have `next_sentence_labels`. */
  readonly pairs: boolean;
  /** Number of steps needed to serve every sequence once. */
  readonly stepsPerEpoch: number;
}

/**
 * Masked batches of a data set by step: a function of only the plan and the step's number, so that a run can be resumed
 * at any step. Batches have one shape, except the last one of sequences that are served once.
 */
export class BatchSource {
  readonly info: BatchSourceInfo;
  private readonly options: BatchPlan;
  private readonly sequences: Sequences;
  private readonly plan: MaskPlan;
  private readonly slots: number;

  constructor(options: BatchPlan) {
    this.options = options;
    this.plan = loadMaskPlan(options.plan);
    this.sequences = new Sequences(options.sequences, options.limits, this.plan.whole_word);
    const { count, tokens, lengths } = this.sequences;
    const served = Math.min(count, options.max_sequences ?? count);
    this.info = {
      sequences: served,
      tokens,
      longest: lengths.longest,
      pairs: this.sequences.arePairs,
      stepsPerEpoch: Math.ceil(served / (options.batch_size * options.batches_per_step)),
    };
    this.slots = labelSlots(this.plan, lengths, options.batch_size);
  }

  step(step: number): MaskedBatch[] {
    const { batch_size, batches_per_step, seed } = this.options;
    const samples = samplesOf(step, batch_size * batches_per_step, this.info.sequences, seed);
    const batches: MaskedBatch[] = [];
    for (let at = 0; at < samples.length; at += batch_size)
      batches.push(
        maskedBatch(
          samples.slice(at, at + batch_size).map((sample) => this.masked(sample)),
          this.sequences.lengths.longest,
          this.slots,
        ),
      );
    return batches;
  }

  close(): void {
    this.sequences.close();
  }

  /** A sequence as the model sees it: as it was masked, or masked now for its epoch. */
  private masked({ index, epoch }: Sample): Parameters<typeof maskedBatch>[0][number] {
    const { input_ids, word_starts, positions, labels, next_sentence_label } = this.sequences.read(index);
    const pair = next_sentence_label === undefined ? {} : { next_sentence_label };
    if (positions !== undefined && labels !== undefined) return { input_ids, positions, labels, ...pair };
    return { ...maskSequence(this.plan, input_ids, word_starts, epoch, index), ...pair };
  }
}
