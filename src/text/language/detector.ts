import { LanguageModel } from './model.ts';

/** The language a text is mostly in. */
export interface LanguageGuess {
  /** ISO 639-1 code; empty when the language cannot be detected. */
  readonly language: string;
  /** Mean probability of that language over samples of the text, 0 to 1. */
  readonly score: number;
}

export type LanguageDetector = (text: string) => LanguageGuess;

let detector: Promise<LanguageDetector> | undefined;

/**
 * Load ELD's large model (60 languages, 7 MB) once per process.
 *
 * ELD reads at most the first 350 bytes of a text, and its scores are not probabilities. So it is given a few samples
 * from all over the text, and its scores are turned into probabilities by a softmax: a page that is half in another
 * language then scores about one half, which is what FineWeb's threshold of 0.65 means.
 */
export function loadLanguageDetector(): Promise<LanguageDetector> {
  detector ??= LanguageModel.load().then((model) => (text) => guess(model, sampleText(text)));
  return detector;
}

/** The language with the greatest share of probability over the usable samples; a doubtful one counts half. */
function guess(model: LanguageModel, samples: readonly string[]): LanguageGuess {
  const totals = new Map<number, number>();
  let told = 0;
  for (const sample of samples) {
    const language = model.read(sample);
    if (language < 0) continue;
    told++;
    totals.set(
      language,
      (totals.get(language) ?? 0) + probability(model.means, language) * (model.isReliable(language) ? 1 : 0.5),
    );
  }
  let best: LanguageGuess = { language: '', score: 0 };
  for (const [language, total] of totals)
    if (total / told > best.score) best = { language: model.languages[language]!, score: total / told };
  return best;
}

/**
 * That of the best language. Dividing mean n-gram scores by 10 before the softmax separates the languages of ELD's own
 * test sentences about as sharply as fastText's model does.
 */
function probability(means: Float64Array, best: number): number {
  let sum = 0;
  for (const mean of means) if (mean > 0) sum += Math.exp((mean - means[best]!) / 10);
  return 1 / sum;
}

const samples = 5;
const sampleLength = 400;

/** Up to five stretches of the text, evenly spread, each from the beginning of a word. */
export function sampleText(text: string): string[] {
  if (text.length <= samples * sampleLength) {
    const stretches = [];
    for (let at = 0; at < text.length; at += sampleLength) stretches.push(text.slice(at, at + sampleLength));
    const last = stretches.at(-1);
    // A short tail is unreliable and would lower the mean.
    return stretches.length > 1 && last !== undefined && last.length < sampleLength / 2
      ? stretches.slice(0, -1)
      : stretches;
  }
  const step = (text.length - sampleLength) / (samples - 1);
  return Array.from({ length: samples }, (_, index) => {
    const from = Math.floor(index * step);
    const space = index === 0 ? -1 : text.slice(from, from + 40).search(/\s/u);
    return text.slice(from + space + 1, from + space + 1 + sampleLength);
  });
}
