import type { Dataset } from '../core/data.ts';
import { fail } from '../core/diagnostic.ts';
import { specialIds } from './config.ts';
import type { Batch } from './roberta.ts';

/** A sequence as the data set has it; `positions` and `labels` are there when it was masked beforehand. */
export interface Sequence {
  readonly input_ids: Uint32Array;
  readonly word_starts: Uint16Array;
  readonly positions?: Uint16Array;
  readonly labels?: Uint32Array;
}

/** Sequences in memory for random access, as typed arrays: 4 bytes a token and 2 a word. */
export interface SequenceStore {
  readonly sequences: readonly Sequence[];
  readonly tokens: number;
}

/** Read every sequence. Fails on one that is longer than the model's positions, or on an id outside its vocabulary. */
export async function loadSequences(dataset: Dataset, limits: { readonly maxTokens: number; readonly vocab_size: number }): Promise<SequenceStore> {
  const sequences: Sequence[] = [];
  let tokens = 0;
  for await (const row of dataset.rows()) {
    const input_ids = row.input_ids as Uint32Array;
    if (input_ids.length > limits.maxTokens) fail('sequence-too-long', `Sequence ${sequences.length} has ${input_ids.length} tokens, but the model has positions for ${limits.maxTokens}.`, `Set max_length to ${input_ids.length} or more here, or to ${limits.maxTokens} in the stage that packs sequences.`);
    for (const id of input_ids) if (id >= limits.vocab_size) fail('id-outside-vocabulary', `Sequence ${sequences.length} has token id ${id}, but the vocabulary has ${limits.vocab_size} entries.`, 'Give the model the tokenizer that the sequences were made with.');
    const masked = row.positions instanceof Uint16Array && row.labels instanceof Uint32Array ? { positions: row.positions, labels: row.labels } : {};
    sequences.push({ input_ids, word_starts: row.word_starts as Uint16Array, ...masked });
    tokens += input_ids.length;
  }
  if (sequences.length === 0) fail('no-sequences', 'The data set has no sequences.', 'Look at what the stages before this one dropped.');
  return { sequences, tokens };
}

/** Masked sequences as one batch: padded to the longest, positions counted in the flattened batch. */
export interface MaskedBatch extends Batch {
  readonly positions: Int32Array;
  readonly labels: Int32Array;
  /** Tokens that are not padding. */
  readonly tokens: number;
}

export function collate(items: readonly { readonly input_ids: ArrayLike<number>; readonly positions: ArrayLike<number>; readonly labels: ArrayLike<number> }[]): MaskedBatch {
  const length = items.reduce((longest, { input_ids }) => Math.max(longest, input_ids.length), 0);
  const input_ids = new Int32Array(items.length * length).fill(specialIds.pad);
  const positions: number[] = [];
  const labels: number[] = [];
  let tokens = 0;
  for (const [row, item] of items.entries()) {
    input_ids.set(item.input_ids, row * length);
    for (let i = 0; i < item.positions.length; i++) {
      positions.push(row * length + (item.positions[i] as number));
      labels.push(item.labels[i] as number);
    }
    tokens += item.input_ids.length;
  }
  return { input_ids, batch: items.length, length, positions: Int32Array.from(positions), labels: Int32Array.from(labels), tokens };
}
