import type { Shard } from '../core/data.ts';
import { fail } from '../core/diagnostic.ts';
import type { ContractField } from '../arrow/contract.ts';
import { ListRows } from '../arrow/list-rows.ts';
import { maxTokens, type RobertaConfig } from '../model/config.ts';
import type { LengthStatistics } from './masked-batch.ts';

/** A sequence as stored in the data set; `positions` and `labels` are present if it was masked beforehand. */
export interface Sequence {
  readonly input_ids: Uint32Array;
  readonly word_starts: Uint16Array;
  readonly positions?: Uint16Array;
  readonly labels?: Uint32Array;
  /** For a pair: 0 when the second half follows the first, 1 when it is from elsewhere. */
  readonly next_sentence_label?: number;
}

/** A data set as plain data, for another thread. */
export interface SequenceShards {
  readonly contract: string;
  readonly shards: readonly Shard[];
}

/** Limits of the model. */
export interface SequenceLimits {
  /** Without it, sequences may be of any length. */
  readonly maxTokens?: number;
  /** What raises `maxTokens`, where the stage that reads the sequences can: `omit max_length here`. */
  readonly raisedBy?: string;
  readonly vocab_size: number;
}

export function limitsOf(config: RobertaConfig): SequenceLimits {
  return { maxTokens: maxTokens(config), vocab_size: config.vocab_size };
}

const fields: readonly ContractField[] = [
  { name: 'input_ids', type: 'list<uint32>', description: 'token ids' },
  { name: 'positions', type: 'list<uint16>', description: 'masked positions', optional: true },
  { name: 'labels', type: 'list<uint32>', description: 'original ids at `positions`', optional: true },
  { name: 'next_sentence_label', type: 'uint32', description: 'of pairs', optional: true },
];
const pairLabel = fields.length - 1;
const wordStarts: ContractField = {
  name: 'word_starts',
  type: 'list<uint16>',
  description: 'positions at which a word begins',
};
const noWords = new Uint16Array(0);

/**
 * The sequences of a data set by number, each read from its shard when it is requested. Fails immediately when there
 * are none, when one is longer than the model's positions, or when only some are pairs. Fails when it reads a sequence
 * that has an id outside the vocabulary or is masked at a position without a token.
 */
export class Sequences {
  readonly count: number;
  readonly tokens: number;
  readonly lengths: LengthStatistics;
  /** Whether they are pairs, each with a label. */
  readonly arePairs: boolean;
  private readonly rows: ListRows;
  private readonly limits: SequenceLimits;

  /** @param words whether `word_starts` are needed; without them, there are half as many reads */
  constructor({ contract, shards }: SequenceShards, limits: SequenceLimits, words: boolean) {
    this.rows = new ListRows(contract, shards, words ? [...fields, wordStarts] : fields);
    this.limits = limits;
    this.count = this.rows.rowCount;
    const pairs = this.rows.has(pairLabel);
    if (pairs === 'some')
      fail(
        'mixed-packing',
        'Some of the sequences are pairs with a next_sentence_label and some are not.',
        'Use the same packing in all of their tokenize stages.',
      );
    this.arePairs = pairs === 'all';
    if (this.count === 0)
      fail('no-sequences', 'The data set has no sequences.', 'Check what the stages before this one dropped.');
    let [row, tokens, squares, longest] = [0, 0, 0, 0];
    for (const lengths of this.rows.lengths(0)) {
      for (const length of lengths) {
        if (limits.maxTokens !== undefined && length > limits.maxTokens)
          fail(
            'sequence-too-long',
            `Sequence ${row} has ${length} tokens, but the model has positions for ${limits.maxTokens}.`,
            `Set max_length of the tokenize stage that packs these sequences to at most ${limits.maxTokens}` +
              `${limits.raisedBy === undefined ? '' : `, or ${limits.raisedBy}`}.`,
          );
        row++;
        tokens += length;
        squares += length ** 2;
        longest = Math.max(longest, length);
      }
    }
    this.tokens = tokens;
    const mean = tokens / this.count;
    this.lengths = { longest, mean, variance: Math.max(0, squares / this.count - mean ** 2) };
  }

  read(index: number): Sequence {
    const [input_ids, positions, labels, pair, word_starts] = this.rows.read(index) as [
      Uint32Array,
      Uint16Array?,
      Uint32Array?,
      Uint32Array?,
      Uint16Array?,
    ];
    for (const ids of labels === undefined ? [input_ids] : [input_ids, labels])
      for (const id of ids)
        if (id >= this.limits.vocab_size)
          fail(
            'id-outside-vocabulary',
            `Sequence ${index} has token id ${id}, but the vocabulary has ${this.limits.vocab_size} entries.`,
            'Use the tokenizer that the sequences were made with.',
          );
    const unmasked = {
      input_ids,
      word_starts: word_starts ?? noWords,
      ...(pair === undefined ? {} : { next_sentence_label: pair[0] as number }),
    };
    if (positions === undefined || labels === undefined) return unmasked;
    if (positions.length !== labels.length || positions.some((position) => position >= input_ids.length))
      fail(
        'bad-masked-sequence',
        `Sequence ${index} has ${input_ids.length} tokens, ${positions.length} masked positions and ` +
          `${labels.length} labels, which do not belong together.`,
        'Each position must be that of a token and have one label: check the step that masked the sequences.',
      );
    return { ...unmasked, positions, labels };
  }

  close(): void {
    this.rows.close();
  }
}
