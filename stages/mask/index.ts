import type { Dataset, DatasetWriter, Row, Shard } from '../../src/core/data.ts';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/data/corpus-report.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { calibrate, TokenCounts, type ImportanceMeasure } from '../../src/text/importance.ts';
import { writeMaskPlan } from '../../src/text/mask-plan.ts';
import { MaskStatistics } from '../../src/text/mask-statistics.ts';
import { createMaskPlan, maskSequence, type MaskPlan, type MaskSettings } from '../../src/text/masking.ts';
import { check } from './check.ts';

interface Config {
  readonly mode: 'static' | 'dynamic' | 'importance';
  readonly rate: number;
  readonly rate_end?: number;
  readonly epochs: number;
  readonly copies: number;
  readonly whole_word: boolean;
  readonly max_span_length: number;
  readonly span_p: number;
  readonly importance: ImportanceMeasure;
  readonly favour: 'unimportant' | 'important';
  readonly strength: number;
  readonly mask_replace_prob: number;
  readonly random_replace_prob: number;
  readonly seed: number;
}

/** Decides how sequences are masked, and for static masking masks them. */
export default defineStage<Config>({
  description: 'Mask sequences for masked-language-model training: once (static), anew each time (dynamic), or by token importance.',
  inputs: {
    sequences: { contract: 'sequences', description: 'packed sequences' },
    tokenizer: { contract: 'tokenizer', description: 'the tokenizer they were made with' },
  },
  outputs: {
    masked: { contract: 'masked', description: 'masked copies (static), or the sequences themselves by reference' },
    plan: { contract: 'mask-plan', description: 'how to mask a sequence when it is served' },
    metrics: { contract: 'metrics', description: '`sequences` and `tokens`, `masked` by what becomes of a token, and by source and importance how many there are and are masked; of a plan, as `tried` on a sample', optional: true },
  },
  check,
  async run(context) {
    const { config } = context;
    const sequences = context.dataset('sequences');
    const settings = maskSettings(config, context.model('tokenizer')!.path);
    const uniform = createMaskPlan(settings);

    const counter = new TokenCounts(uniform.isSpecial, config.mode === 'importance' ? config.importance : undefined, sequences.bytes / 4);
    for await (const { ids, number } of sequencesOf(sequences)) {
      const done = number + 1;
      checkIds(ids, settings.vocab_size, done);
      counter.add(ids);
      context.progress(done, sequences.rowCount, 'sequences', 'counting tokens');
    }
    const importance = counter.importance();
    const probability = calibrate(importance, counter.counts, config).map((p, id) => (uniform.isSpecial[id] ? 0 : p));
    const weighting = config.mode === 'importance' ? { importance: config.importance, favour: config.favour, strength: config.strength } : {};
    writeMaskPlan(context.folder('plan').path, settings, { count: counter.counts, importance, probability }, { ...weighting, ...(config.mode === 'static' ? { copies: config.copies } : {}) });

    const tokens = counter.counts.reduce((sum, count) => sum + count, 0);
    context.metric('tokens', tokens);
    const plan = config.mode === 'importance' ? createMaskPlan(settings, probability) : uniform;
    const statistics = new MaskStatistics(plan, importance, counter.counts);
    if (config.mode === 'static') await writeCopies(context, sequences, plan, statistics);
    else {
      for (const shard of sequences.shards) context.writer('masked').link(shard);
      await tryOut(plan, sequences, statistics);
    }
    if (tokens > 0) context.metric('masked_share', statistics.chosen / statistics.tokens);
    await report(context, sequences, tokens, statistics);
  },
});

async function report(context: StageContext<Config>, sequences: Dataset, tokens: number, statistics: MaskStatistics): Promise<void> {
  const report = new CorpusReport(context);
  const copies = context.config.mode === 'static' ? context.config.copies : 1;
  report.add('sequences', 'in', sequences.rowCount);
  report.add('sequences', 'out', sequences.rowCount * copies);
  report.add('tokens', 'in', tokens);
  report.add('tokens', 'out', tokens * copies);
  statistics.report((name, label, by) => report.add(name, label, by));
  await report.end();
}

function maskSettings(config: Config, tokenizerFolder: string): MaskSettings {
  const { tokens, special, specialIds } = loadTokenizer(tokenizerFolder);
  return {
    mode: config.mode,
    rate: config.rate,
    ...(config.rate_end === undefined ? {} : { rate_end: config.rate_end }),
    epochs: config.epochs,
    seed: config.seed,
    mask_share: config.mask_replace_prob,
    random_share: config.random_replace_prob,
    keep_share: Math.max(0, Number((1 - config.mask_replace_prob - config.random_replace_prob).toFixed(12))),
    whole_word: config.whole_word,
    max_span_length: config.max_span_length,
    span_p: config.span_p,
    special_ids: specialIds,
    mask_id: special.mask,
    vocab_size: tokens.length,
  };
}

/** Sequences on which a plan is tried out, to report what it masks. */
const triedSequences = 10_000;

/** Mask the first sequences of each shard as in epoch 0, as many as its share of all. */
async function tryOut(plan: MaskPlan, sequences: Dataset, statistics: MaskStatistics): Promise<void> {
  const share = Math.min(1, triedSequences / sequences.rowCount);
  for await (const { ids, starts, number, source } of sequencesOf(sequences, (shard) => Math.ceil((shard.rows ?? 0) * share)))
    statistics.add(source, ids, maskSequence(plan, ids, starts, 0, number));
}

/** Copy k is masked as epoch k would be, and ends with a shard of its own. */
async function writeCopies(context: StageContext<Config>, sequences: Dataset, plan: MaskPlan, statistics: MaskStatistics): Promise<void> {
  const out: DatasetWriter = context.writer('masked');
  const { copies } = context.config;
  for (let copy = 0; copy < copies; copy++) {
    for await (const { ids, starts, pair, number, source } of sequencesOf(sequences)) {
      const masked = maskSequence(plan, ids, starts, copy, number);
      await out.add({ ...masked, word_starts: starts, ...pair });
      statistics.add(source, ids, masked);
      context.progress(copy * sequences.rowCount + number + 1, copies * sequences.rowCount, 'sequences', 'masking');
    }
    await out.endShard({ copy });
  }
}

interface Sequence {
  readonly ids: Uint32Array;
  readonly starts: Uint16Array;
  /** Whether its second segment follows its first, where sequences are pairs. */
  readonly pair: Row;
  /** In the dataset, from 0. */
  readonly number: number;
  /** What its shard says it is from. */
  readonly source: string;
}

/** @param limit how many of a shard to read; all, when left out */
async function* sequencesOf(dataset: Dataset, limit: (shard: Shard) => number = () => Infinity): AsyncGenerator<Sequence> {
  let first = 0;
  for (const shard of dataset.shards) {
    const source = String(shard.meta?.source ?? '');
    const end = first + limit(shard);
    let number = first;
    for await (const { input_ids, word_starts, next_sentence_label } of dataset.select([shard]).rows()) {
      if (number >= end) break;
      yield { ids: input_ids as Uint32Array, starts: word_starts as Uint16Array, pair: next_sentence_label === undefined ? {} : { next_sentence_label }, number: number++, source };
    }
    first += shard.rows ?? 0;
  }
}

function checkIds(ids: Uint32Array, vocabSize: number, sequence: number): void {
  for (const id of ids)
    if (id >= vocabSize) fail('wrong-tokenizer', `Sequence ${sequence} has token id ${id}, but the tokenizer has only ${vocabSize} tokens.`, 'Connect the tokenizer that the `tokenize` stage used.');
}
