import type { Dataset } from '../../../src/core/data.ts';
import { defineStage, type StageContext } from '../../../src/core/stage.ts';
import { CorpusReport } from '../../../src/corpus/corpus-report.ts';
import { sequencesOf } from '../../../src/masking/sequence-rows.ts';
import { calibrate, importanceOf } from '../../../src/masking/importance.ts';
import { writeMaskPlan } from '../../../src/masking/mask-plan.ts';
import { maskSettings } from '../../../src/masking/mask-settings.ts';
import { MaskStatistics } from '../../../src/masking/mask-statistics.ts';
import { createMaskPlan, maskSequence, type MaskPlan } from '../../../src/masking/masking.ts';
import type { Config } from './config.ts';
import { readPairCounts, readTokenCounts } from './counts.ts';

/** Decides how sequences are masked; what has to look at all of them is done before, shard by shard. */
export default defineStage<Config>({
  description: 'Decide how sequences are masked.',
  inputs: {
    sequences: { contract: 'sequences', description: 'packed sequences' },
    tokenizer: { contract: 'tokenizer', description: 'tokenizer of the sequences' },
    token_counts: { contract: 'token-counts', description: 'how often each token occurs in the sequences' },
    pair_counts: {
      contract: 'pair-counts',
      description: 'how often tokens follow each other, for importance by `pmi`',
      optional: true,
    },
    copies: { contract: 'masked-copies', description: 'masked copies, for `static`', optional: true },
    copy_metrics: { contract: 'metrics', description: 'metrics of the masked copies, for `static`', optional: true },
  },
  outputs: {
    masked: {
      contract: 'masked',
      description: 'masked copies (static), or references to the sequences themselves, with the plan beside them',
    },
    metrics: {
      contract: 'metrics',
      description:
        '`sequences` and `tokens`; `masked` by replacement; tokens and masked tokens by source and ' +
        'importance; for a plan, as `tried` on a sample',
      optional: true,
    },
  },
  async run(context) {
    const { config } = context;
    const sequences = context.dataset('sequences');
    const settings = maskSettings(config, config.mode, context.folder('tokenizer')!.path);
    const uniform = createMaskPlan(settings);

    const counted = await readTokenCounts(context, settings.vocab_size);
    const isWeighted = config.mode === 'importance';
    const importance = isWeighted
      ? importanceOf(config.importance, counted, await readPairCounts(context, uniform.isSpecial))
      : new Float64Array(settings.vocab_size);
    const probability = calibrate(importance, counted.counts, config).map((p, id) => (uniform.isSpecial[id] ? 0 : p));
    const weighting = isWeighted
      ? { importance: config.importance, favour: config.favour, strength: config.strength }
      : {};
    writeMaskPlan(
      context.writer('masked').folder,
      settings,
      { count: counted.counts, importance, probability },
      { ...weighting, ...(config.mode === 'static' ? { copies: config.copies } : {}) },
    );

    const report = new CorpusReport(context);
    const tokens = counted.counts.reduce((sum, count) => sum + count, 0);
    const copies = config.mode === 'static' ? config.copies : 1;
    context.metric('tokens', tokens);
    for (const [what, count] of Object.entries({ sequences: sequences.rowCount, tokens })) {
      report.add(what, 'in', count);
      report.add(what, 'out', count * copies);
    }
    const tryOut = (): Promise<Masked> =>
      isWeighted
        ? linkSequences(
            context,
            sequences,
            createMaskPlan(settings, probability),
            new MaskStatistics(uniform, importance, counted.counts),
            report,
          )
        : linkSequences(context, sequences, uniform, new MaskStatistics(uniform), report);
    const [all, masked] = config.mode === 'static' ? await linkCopies(context, report) : await tryOut();
    if (tokens > 0) context.metric('masked_share', masked / all);
    await report.end();
  },
});

/** Tokens that masking was applied to or tried on, and how many of them it selected. */
type Masked = readonly [tokens: number, masked: number];

async function linkCopies(context: StageContext<Config>, report: CorpusReport): Promise<Masked> {
  for (const shard of context.dataset('copies').shards) context.writer('masked').link(shard);
  let tokens = 0,
    masked = 0;
  for await (const { name, label, value } of context.dataset('copy_metrics').rows()) {
    report.add(String(name), String(label), Number(value));
    if (name === 'tried') tokens += Number(value);
    if (name === 'masked') masked += Number(value);
  }
  return [tokens, masked];
}

/** Number of sequences on which a plan is tried, to report what it masks. */
const triedSequences = 10_000;

/**
 * The sequences as they are. The first ones of each shard, in proportion to its size, are masked as in epoch 0 to see
 * how many tokens are selected.
 */
async function linkSequences(
  context: StageContext<Config>,
  sequences: Dataset,
  plan: MaskPlan,
  statistics: MaskStatistics,
  report: CorpusReport,
): Promise<Masked> {
  for (const shard of sequences.shards) context.writer('masked').link(shard);
  const share = Math.min(1, triedSequences / sequences.rowCount);
  for await (const { ids, starts, number, source } of sequencesOf(sequences, (shard) =>
    Math.ceil((shard.rows ?? 0) * share),
  ))
    statistics.add(source, ids, maskSequence(plan, ids, starts, 0, number));
  statistics.report((name, label, by) => report.add(name, label, by));
  return [statistics.tokens, statistics.chosen];
}
