import type { Dataset, Row, Shard } from '../core/data.ts';
import { fail } from '../core/diagnostic.ts';
import type { StageContext } from '../core/stage.ts';

/** A packed sequence and its position in its dataset. */
export interface SequenceRow {
  readonly ids: Uint32Array;
  readonly starts: Uint16Array;
  /** For pairs, whether the second segment follows the first. */
  readonly pair: Row;
  /** In the dataset, from 0. */
  readonly number: number;
  /** Its row in its shard, from 0. */
  readonly row: number;
  readonly shard: Shard;
  /** Its source, from the meta of its shard. */
  readonly source: string;
}

/** @param limit maximum number to read per shard; default: all */
export async function* sequencesOf(
  dataset: Dataset,
  limit: (shard: Shard) => number = () => Infinity,
): AsyncGenerator<SequenceRow> {
  let first = 0;
  for (const shard of dataset.shards) {
    const source = String(shard.meta?.source ?? '');
    const most = limit(shard);
    let row = 0;
    for await (const { input_ids, word_starts, next_sentence_label } of dataset.select([shard]).rows()) {
      if (row >= most) break;
      yield {
        ids: input_ids as Uint32Array,
        starts: word_starts as Uint16Array,
        pair: next_sentence_label === undefined ? {} : { next_sentence_label },
        number: first + row,
        row: row++,
        shard,
        source,
      };
    }
    first += shard.rows ?? 0;
  }
}

/** The sequences of a stage's input `sequences`, with ids below the given number of tokens; reports progress. */
export async function* checkedSequences(
  context: Pick<StageContext, 'dataset' | 'progress' | 'signal'>,
  vocabSize: number,
): AsyncGenerator<SequenceRow> {
  const input = context.dataset('sequences');
  for await (const sequence of sequencesOf(input)) {
    checkIds(sequence.ids, vocabSize, sequence.number + 1);
    yield sequence;
    context.progress(sequence.number + 1, input.rowCount, 'sequences');
    context.signal.throwIfAborted();
  }
}

/** Fails with `wrong-tokenizer` when a sequence has an id outside the given number of tokens. */
export function checkIds(ids: Uint32Array, vocabSize: number, sequence: number): void {
  for (const id of ids)
    if (id >= vocabSize)
      fail(
        'wrong-tokenizer',
        `Sequence ${sequence} has token id ${id}, but the tokenizer has only ${vocabSize} tokens.`,
        'Connect the tokenizer that the `tokenize` stage used.',
      );
}
