import { buffer } from 'node:stream/consumers';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/corpus/corpus-report.ts';
import { evaluationTexts } from '../../src/corpus/evaluation-texts.ts';
import { openStageSource } from '../../src/sources/source.ts';
import { EvaluationNGrams } from '../../src/text/filters/decontaminate.ts';
import { loadLanguageDetector, type LanguageGuess } from '../../src/text/language/detector.ts';
import { replacePii, type PiiPlaceholders } from '../../src/text/filters/pii.ts';
import { c4Rules, keepC4Lines, type C4Thresholds } from '../../src/text/filters/c4.ts';
import { fineWebRules, type FineWebThresholds } from '../../src/text/filters/fineweb.ts';
import { gopherQualityRules, type GopherQualityThresholds } from '../../src/text/filters/gopher-quality.ts';
import { gopherRepetitionRules, type GopherRepetitionThresholds } from '../../src/text/filters/gopher-repetition.ts';
import { firstReason, Prose } from '../../src/text/filters/prose.ts';
import { ShardedDocuments } from '../../src/corpus/sharded-documents.ts';

type Switchable<Thresholds> = Thresholds & { readonly enabled: boolean };

export interface Filters {
  readonly gopher_repetition: Switchable<GopherRepetitionThresholds>;
  readonly gopher_quality: Switchable<GopherQualityThresholds>;
  readonly c4: Switchable<C4Thresholds>;
  readonly fineweb: Switchable<FineWebThresholds>;
}

interface Config {
  readonly languages: readonly string[];
  readonly min_language_score: number;
  readonly filters: Filters;
  readonly pii: Switchable<PiiPlaceholders>;
  readonly evaluation_ngram: number;
  readonly keep_rejects: boolean;
}

/**
 * Language and quality filters, personal data and decontamination in FineWeb's order; see `src/text/filters/` for each
 * rule.
 */
export default defineStage<Config>({
  description:
    'Identify the language of documents, keep those in the languages asked for that pass the Gopher, C4 and ' +
    'FineWeb quality rules, replace personal data and drop what holds parts of evaluation sets.',
  inputs: { documents: { contract: 'documents', description: 'documents to clean' } },
  outputs: {
    documents: { contract: 'documents', description: 'documents that pass, with `lang` set' },
    rejects: {
      contract: 'rejects',
      description: 'documents that were dropped, with the reason; empty unless `keep_rejects`',
      optional: true,
      when: 'config.keep_rejects',
    },
    metrics: {
      contract: 'metrics',
      description:
        'documents, bytes, reasons for dropping, lengths, languages, domains, personal data replaced (`pii`)',
      optional: true,
    },
  },
  map: 'documents',
  async run(context) {
    const { config } = context;
    const input = context.dataset('documents');
    const detect = await loadLanguageDetector();
    const evaluation = await readEvaluationSets(context);
    const report = new CorpusReport(context);
    const documents = new ShardedDocuments(context.writer('documents'));
    const rejects = new ShardedDocuments(context.writer('rejects'));
    let done = 0;
    for await (const row of input.rows()) {
      context.signal.throwIfAborted();
      const text = String(row.text);
      const guess = detect(text);
      report.read(text);
      let verdict = judge(text, guess, config);
      if (verdict.reason === undefined) verdict = finish(verdict, evaluation, context, report);
      if (verdict.reason === undefined) {
        const kept = { ...row, text: verdict.text, lang: guess.language };
        report.keep(kept);
        await documents.add(kept);
      } else {
        report.drop(verdict.reason);
        if (config.keep_rejects) await rejects.add({ ...row, lang: guess.language, reason: verdict.reason });
      }
      context.progress(++done, input.rowCount, 'documents');
    }
    await documents.end();
    await rejects.end();
    await report.end();
  },
});

interface Verdict {
  /** What is left of the text. */
  readonly text: string;
  /** Why the document is dropped; `undefined` when it is kept. */
  readonly reason: string | undefined;
}

function judge(original: string, guess: LanguageGuess, { languages, min_language_score, filters }: Config): Verdict {
  const drop = (reason: string): Verdict => ({ text: original, reason });
  if (original.trim() === '') return drop('empty');
  if (languages.length > 0 && !languages.includes(guess.language)) return drop('language');
  if (guess.score < min_language_score) return drop('language_score');

  let document = new Prose(original, guess.language);
  const { gopher_repetition, gopher_quality, c4, fineweb } = filters;
  let reason = gopher_repetition.enabled ? firstReason(gopherRepetitionRules, document, gopher_repetition) : undefined;
  if (gopher_quality.enabled) reason ??= firstReason(gopherQualityRules, document, gopher_quality);
  if (c4.enabled && reason === undefined) {
    const text = keepC4Lines(original, c4);
    if (text === '') return drop('c4_no_lines');
    if (text !== original) document = new Prose(text, guess.language);
    reason = firstReason(c4Rules, document, c4);
  }
  if (fineweb.enabled) reason ??= firstReason(fineWebRules, document, fineweb);
  return reason === undefined ? { text: document.text, reason } : drop(reason);
}

/** What is done to documents that are of good quality. */
function finish(
  verdict: Verdict,
  evaluation: EvaluationNGrams,
  context: StageContext<Config>,
  report: CorpusReport,
): Verdict {
  const { pii } = context.config;
  if (evaluation.isIn(verdict.text)) return { ...verdict, reason: 'evaluation_set' };
  if (!pii.enabled) return verdict;
  const { text, counts } = replacePii(verdict.text, pii);
  for (const [kind, times] of Object.entries(counts)) {
    if (times === 0) continue;
    context.count(`pii.${kind}`, times);
    report.add('pii', kind, times);
  }
  return { ...verdict, text };
}

async function readEvaluationSets(context: StageContext<Config>): Promise<EvaluationNGrams> {
  const ngrams = new EvaluationNGrams(context.config.evaluation_ngram);
  const sources = context.sources('evaluation_sets');
  for (const source of sources) {
    const file = await openStageSource(source, context, '');
    for (const text of evaluationTexts(source.name, new TextDecoder().decode(await buffer(file.read()))))
      ngrams.add(text);
  }
  if (sources.length > 0) context.metric('evaluation_ngrams', ngrams.size);
  return ngrams;
}
