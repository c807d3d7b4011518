import type { DatasetWriter, Folder } from '../../src/core/data.ts';
import { defineStage } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/corpus/corpus-report.ts';
import type { Document } from '../../src/corpus/document.ts';
import { documentsOf } from '../../src/corpus/documents-of.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { Packer, type PackedSequence, type Packing, type PairPacking } from '../../src/text/packing/pack.ts';
import { PairPacker } from '../../src/text/packing/pack-pairs.ts';
import { hashToUnit } from '../../src/text/random.ts';
import { splitSentences } from '../../src/text/segmentation/sentences.ts';
import {
  autoMarker,
  jiebaSegmenter,
  segmentMarker,
  whitespaceMarker,
  type WordMarker,
  type WordSegmentation,
} from '../../src/text/segmentation/words.ts';
import type { Config } from './config.ts';

/** Tokens per shard; 4 bytes each, so that a shard ends, with its meta, before the writer's own limit. */
const shardTokens = 10_000_000;

/** Turns documents into packed token sequences. */
export default defineStage<Config>({
  description:
    'Tokenize documents and pack their sentences into sequences, with held-out documents in a separate output.',
  inputs: {
    documents: { contract: 'documents', description: 'text to tokenize' },
    tokenizer: { contract: 'tokenizer', description: 'byte-level BPE tokenizer' },
  },
  outputs: {
    sequences: { contract: 'sequences', description: 'packed sequences to train on', optional: true },
    held_out: {
      contract: 'sequences',
      description: 'packed sequences of the held-out documents',
      optional: true,
      when: 'config.held_out > 0',
    },
    metrics: {
      contract: 'metrics',
      description:
        'documents, bytes, lengths, languages, domains; `tokens` and `sequences` by output and those that were ' +
        '`too_short`',
      optional: true,
    },
  },
  map: 'documents',
  async run(context) {
    const { config } = context;
    const tokenizer = new Tokenizer(loadTokenizer((context.folder('tokenizer') as Folder).path));
    const markWords = await wordMarker(config.word_segmentation, tokenizer);
    const report = new CorpusReport(context);
    const train = new Output(context.writer('sequences'), config, tokenizer);
    const heldOut = new Output(context.writer('held_out'), config, tokenizer);

    for await (const { document, number } of documentsOf(context, report)) {
      report.keep(document);
      const output = hashToUnit(document.id) < config.held_out ? heldOut : train;
      await output.add(document, number, tokenizeSentences(document.text, tokenizer, markWords));
    }
    await train.finish();
    await heldOut.finish();

    context.count('tokens', train.tokens);
    context.count('sequences', train.sequences);
    context.count('held_out.tokens', heldOut.tokens);
    context.count('held_out.sequences', heldOut.sequences);
    if (isOfPairs(config.packing)) context.count('pairs.from_elsewhere', train.fromElsewhere + heldOut.fromElsewhere);
    context.count('sequences.too_short', train.tooShort + heldOut.tooShort);
    for (const [label, { tokens, sequences }] of Object.entries({ out: train, held_out: heldOut })) {
      report.add('tokens', label, tokens);
      report.add('sequences', label, sequences);
    }
    report.add('sequences', 'too_short', train.tooShort + heldOut.tooShort);
    await report.end();
  },
});

function* tokenizeSentences(
  text: string,
  tokenizer: Tokenizer,
  markWords: WordMarker,
): Generator<{ ids: Uint32Array; starts: number[] }> {
  for (const sentence of splitSentences(text)) {
    const ids = tokenizer.encode(sentence);
    yield { ids, starts: markWords(sentence, ids) };
  }
}

async function wordMarker(segmentation: WordSegmentation, tokenizer: Tokenizer): Promise<WordMarker> {
  if (segmentation === 'whitespace') return whitespaceMarker(tokenizer);
  const segment = await jiebaSegmenter();
  return segmentation === 'jieba' ? segmentMarker(tokenizer, segment) : autoMarker(tokenizer, segment);
}

/** Packs documents into a writer and records the contents of each shard in its meta. */
class Output {
  tokens = 0;
  sequences = 0;
  /** Pairs whose second half comes from elsewhere. */
  fromElsewhere = 0;
  private readonly writer: DatasetWriter;
  private readonly packer: Packer | PairPacker;
  private readonly sources = new Set<string>();
  private readonly snapshots = new Set<string>();
  private tokensInShard = 0;

  constructor(
    writer: DatasetWriter,
    { max_length: maxLength, min_length: minLength, packing }: Config,
    { model }: Tokenizer,
  ) {
    this.writer = writer;
    const options = { maxLength, minLength, bos: model.special.bos, eos: model.special.eos };
    this.packer = isOfPairs(packing) ? new PairPacker({ ...options, packing }) : new Packer({ ...options, packing });
  }

  get tooShort(): number {
    return this.packer.dropped.sequences;
  }

  async add(
    { source, snapshot }: Document,
    number: number,
    sentences: Iterable<{ ids: Uint32Array; starts: number[] }>,
  ): Promise<void> {
    this.sources.add(source);
    this.snapshots.add(snapshot);
    await this.write(this.packer.add(number, sentences));
  }

  async finish(): Promise<void> {
    await this.write(this.packer.flush());
    await this.endShard();
  }

  private async write(sequences: Iterable<PackedSequence>): Promise<void> {
    for (const sequence of sequences) {
      await this.writer.add({ ...sequence });
      this.tokens += sequence.input_ids.length;
      this.sequences++;
      if (sequence.next_sentence_label === 1) this.fromElsewhere++;
      this.tokensInShard += sequence.input_ids.length;
      if (this.tokensInShard >= shardTokens) await this.endShard();
    }
  }

  private async endShard(): Promise<void> {
    await this.writer.endShard({
      ...only('source', this.sources),
      ...only('snapshot', this.snapshots),
      tokens: this.tokensInShard,
    });
    this.tokensInShard = 0;
  }
}

function isOfPairs(packing: Packing): packing is PairPacking {
  return packing === 'segment-pair' || packing === 'sentence-pair';
}

function only(name: string, values: ReadonlySet<string>): Record<string, string> {
  const [value] = values;
  return values.size === 1 && value !== undefined ? { [name]: value } : {};
}
