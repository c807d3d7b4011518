import type { Shard } from '../core/data.ts';
import { fail } from '../core/diagnostic.ts';
import type { ContractField } from '../arrow/contract.ts';
import { ListRows } from '../arrow/list-rows.ts';
import { maxTokens, type RobertaConfig } from '../model/config.ts';
import type { LengthStatistics } from './masked-batch.ts';

/** A sequence as the data set has it; `positions` and `labels` are there when it was masked beforehand. */
export interface Sequence {
  readonly input_ids: Uint32Array;
  readonly word_starts: Uint16Array;
  readonly positions?: Uint16Array;
  readonly labels?: Uint32Array;
  /** Of a pair: 0 when its second half follows the first, 1 when it is from elsewhere. */
  readonly next_sentence_label?: number;
}

/** A data set as plain data, for another thread. */
export interface SequenceShards {
  readonly contract: string;
  readonly shards: readonly Shard[];
}

/** What the model takes. */
export interface SequenceLimits {
  readonly maxTokens: number;
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
 * The sequences of a data set by number, each read from its shard when it is asked for. Fails at once when there is
 * none, when one is longer than the model's positions or only some are pairs, and with the sequence when it has an id
 * outside of the vocabulary or was masked where it has no token.
 */
export class Sequences {
  readonly count: number;
  readonly tokens: number;
  readonly lengths: LengthStatistics;
  /** Whether they are pairs, each with a label. */
  readonly arePairs: boolean;
  private readonly rows: ListRows;
  private readonly limits: SequenceLimits;

  /** @param words whether `word_starts` are needed; sequences come without any otherwise, for half of the reads */
  constructor({ contract, shards }: SequenceShards, limits: SequenceLimits, words: boolean) {
    this.rows = new ListRows(contract, shards, words ? [...fields, wordStarts] : fields);
    this.limits = limits;
    this.count = this.rows.rowCount;
    const pairs = this.rows.has(pairLabel);
    if (pairs === 'some')
      fail(
        'mixed-packing',
        'Some of the sequences are pairs with a next_sentence_label and some are not.',
        'Pack all of them alike: give their tokenize stages the same packing.',
      );
    this.arePairs = pairs === 'all';
    if (this.count === 0)
      fail('no-sequences', 'The data set has no sequences.', 'Look at what the stages before this one dropped.');
    let [row, tokens, squares, longest] = [0, 0, 0, 0];
    for (const lengths of this.rows.lengths(0)) {
      for (const length of lengths) {
        if (length > limits.maxTokens)
          fail(
            'sequence-too-long',
            `Sequence ${row} has ${length} tokens, but the model has positions for ${limits.maxTokens}.`,
            `Set max_length here to that of the stage that packs sequences, or that one's to ${limits.maxTokens}.`,
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
            'Give the model the tokenizer that the sequences were made with.',
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
        'Each position names a token of its sequence and has one label: look at the step that masked them.',
      );
    return { ...unmasked, positions, labels };
  }

  close(): void {
    this.rows.close();
  }
}
