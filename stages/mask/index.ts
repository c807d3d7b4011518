import type { Dataset, DatasetWriter, Row } from '../../src/core/data.ts';
import { fail } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { calibrate, TokenCounts, type ImportanceMeasure } from '../../src/text/importance.ts';
import { writeMaskPlan } from '../../src/text/mask-plan.ts';
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
  },
  check,
  async run(context) {
    const { config } = context;
    const sequences = context.dataset('sequences');
    const settings = maskSettings(config, context.model('tokenizer')!.path);
    const uniform = createMaskPlan(settings);

    const counter = new TokenCounts(uniform.isSpecial, config.mode === 'importance' ? config.importance : undefined, sequences.bytes / 4);
    for await (const { ids, done } of sequencesOf(sequences)) {
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
    if (config.mode === 'static') {
      const masked = await writeCopies(context, sequences, uniform);
      if (tokens > 0) context.metric('masked_share', masked / (tokens * config.copies));
      return;
    }
    for (const shard of sequences.shards) context.writer('masked').link(shard);
    if (tokens > 0) context.metric('masked_share', await shareOfFirst(triedSequences, sequences, createMaskPlan(settings, config.mode === 'importance' ? probability : undefined)));
  },
});

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

/** Sequences on which a plan is tried out, to report the share that it masks. */
const triedSequences = 10_000;

/** Share of the ordinary tokens of the first sequences that a plan masks in epoch 0. */
async function shareOfFirst(count: number, sequences: Dataset, plan: MaskPlan): Promise<number> {
  let masked = 0;
  let tokens = 0;
  for await (const { ids, starts, done } of sequencesOf(sequences)) {
    masked += maskSequence(plan, ids, starts, 0, done - 1).positions.length;
    for (const id of ids) tokens += plan.isSpecial[id] === 0 ? 1 : 0;
    if (done === count) break;
  }
  return masked / tokens;
}

/** Copy k is masked as epoch k would be, and ends with a shard of its own. Returns the number of masked positions. */
async function writeCopies(context: StageContext<Config>, sequences: Dataset, plan: MaskPlan): Promise<number> {
  const out: DatasetWriter = context.writer('masked');
  const { copies } = context.config;
  let masked = 0;
  for (let copy = 0; copy < copies; copy++) {
    for await (const { ids, starts, pair, done } of sequencesOf(sequences)) {
      const { input_ids, positions, labels } = maskSequence(plan, ids, starts, copy, done - 1);
      await out.add({ input_ids, word_starts: starts, positions, labels, ...pair });
      masked += positions.length;
      context.progress(copy * sequences.rowCount + done, copies * sequences.rowCount, 'sequences', 'masking');
    }
    await out.endShard({ copy });
  }
  return masked;
}

async function* sequencesOf(dataset: Dataset): AsyncGenerator<{ ids: Uint32Array; starts: Uint16Array; pair: Row; done: number }> {
  let done = 0;
  for await (const { input_ids, word_starts, next_sentence_label } of dataset.rows())
    yield { ids: input_ids as Uint32Array, starts: word_starts as Uint16Array, pair: next_sentence_label === undefined ? {} : { next_sentence_label }, done: ++done };
}

function checkIds(ids: Uint32Array, vocabSize: number, sequence: number): void {
  for (const id of ids)
    if (id >= vocabSize) fail('wrong-tokenizer', `Sequence ${sequence} has token id ${id}, but the tokenizer has only ${vocabSize} tokens.`, 'Connect the tokenizer that the `tokenize` stage used.');
}
