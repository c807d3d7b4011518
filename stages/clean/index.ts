import { buffer } from 'node:stream/consumers';
import type { StageContext } from '../../src/core/stage.ts';
import { defineFilter, type FilterContext } from '../../src/corpus/define-filter.ts';
import { evaluationTexts } from '../../src/corpus/evaluation-texts.ts';
import { openStageSource } from '../../src/sources/source.ts';
import { EvaluationNGrams } from '../../src/text/filters/decontaminate.ts';
import { loadLanguageDetector, type LanguageGuess } from '../../src/text/language/detector.ts';
import { replacePii } from '../../src/text/filters/pii.ts';
import { c4Rules, keepC4Lines } from '../../src/text/filters/c4.ts';
import { fineWebRules } from '../../src/text/filters/fineweb.ts';
import { gopherQualityRules } from '../../src/text/filters/gopher-quality.ts';
import { gopherRepetitionRules } from '../../src/text/filters/gopher-repetition.ts';
import { firstReason, Prose } from '../../src/text/filters/prose.ts';
import type { Config } from './config.ts';

interface Tools {
  readonly detect: (text: string) => LanguageGuess;
  readonly evaluation: EvaluationNGrams;
}

/**
 * Language and quality filters, personal data and decontamination, in FineWeb's order. Each rule is in
 * `src/text/filters/`.
 */
export default defineFilter<Config, Tools>({
  description:
    'Detect the language of documents, keep those in the configured languages that pass the Gopher, C4 and ' +
    'FineWeb quality rules, replace personal data, and drop documents that contain parts of evaluation sets.',
  inputs: { documents: { contract: 'documents', description: 'documents to clean' } },
  outputs: {
    documents: 'documents that passed, with `lang` set',
    rejects: 'dropped documents with the reason; empty unless `keep_rejects`',
    metrics: 'documents, bytes, reasons for dropping, lengths, languages, domains, personal data replaced (`pii`)',
  },
  rejects: 'keep_rejects',
  setUp: async (context) => ({
    detect: await loadLanguageDetector(),
    evaluation: await readEvaluationSets(context),
  }),
  judge(document, config, context) {
    const { detect, evaluation } = context.tools;
    const guess = detect(document.text);
    document.lang = guess.language;
    const { text, reason } = assess(document.text, guess, config);
    if (reason !== undefined) return reason;
    if (evaluation.isIn(text)) return 'evaluation_set';
    return { ...document, text: withoutPersonalData(text, config, context) };
  },
});

interface Assessment {
  /** The text that remains. */
  readonly text: string;
  /** Why the document is dropped; `undefined` when it is good enough. */
  readonly reason: string | undefined;
}

function assess(
  original: string,
  guess: LanguageGuess,
  { languages, min_language_score, filters }: Config,
): Assessment {
  const drop = (reason: string): Assessment => ({ text: original, reason });
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
  return { text: document.text, reason };
}

function withoutPersonalData(original: string, { pii }: Config, context: FilterContext<Tools>): string {
  if (!pii.enabled) return original;
  const { text, counts } = replacePii(original, pii);
  for (const [kind, times] of Object.entries(counts)) if (times > 0) context.count('pii', kind, times);
  return text;
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
