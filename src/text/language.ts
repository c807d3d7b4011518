/** The language a text is mostly in. */
export interface LanguageGuess {
  /** ISO 639-1 code; empty when nothing can be told. */
  readonly language: string;
  /** Mean probability of that language over samples of the text, 0 to 1. */
  readonly score: number;
}

export type LanguageDetector = (text: string) => LanguageGuess;

let detector: Promise<LanguageDetector> | undefined;

/**
 * Load ELD's large model (60 languages; about a second and 400 MB, so only when it is asked for) once per process.
 *
 * ELD reads no more than the first 350 bytes of a text and gives scores that are no probabilities. So it is shown a few
 * samples from all over the text, and its scores are turned into probabilities by a softmax: a page that is half in
 * another language then scores about one half, which is what FineWeb's threshold of 0.65 means.
 */
export function loadLanguageDetector(): Promise<LanguageDetector> {
  detector ??= import('eld/large').then(({ eld }) => {
    const instance = eld.newInstance();
    return (text) => combine(sampleText(text).map((sample) => {
      const result = instance.detect(sample);
      return { ...probability(result.getScores()), weight: result.isReliable() ? 1 : 0.5 };
    }));
  });
  return detector;
}

const samples = 5;
const sampleLength = 400;

/** Up to five stretches of the text, evenly spread, each from the beginning of a word. */
export function sampleText(text: string): string[] {
  if (text.length <= samples * sampleLength) {
    const stretches = [];
    for (let at = 0; at < text.length; at += sampleLength) stretches.push(text.slice(at, at + sampleLength));
    const last = stretches.at(-1);
    // A short tail says little; it would pull the mean down.
    return stretches.length > 1 && last !== undefined && last.length < sampleLength / 2 ? stretches.slice(0, -1) : stretches;
  }
  const step = (text.length - sampleLength) / (samples - 1);
  return Array.from({ length: samples }, (_, index) => {
    const from = Math.floor(index * step);
    const space = index === 0 ? -1 : text.slice(from, from + 40).search(/\s/u);
    return text.slice(from + space + 1, from + space + 1 + sampleLength);
  });
}

/**
 * ELD scales a mean n-gram score s to s / (s + 25); undone here. Dividing by 10 before the softmax separates the
 * languages of ELD's own test sentences about as sharply as fastText's model does.
 */
function probability(scores: Readonly<Record<string, number>>): LanguageGuess {
  const raw = Object.entries(scores).map(([language, score]) => ({ language, score: (25 * score) / Math.max(1 - score, 1e-6) }));
  const best = raw.reduce((a, b) => (b.score > a.score ? b : a), { language: '', score: 0 });
  if (best.language === '') return best;
  const sum = raw.reduce((total, { score }) => total + Math.exp((score - best.score) / 10), 0);
  return { language: best.language, score: 1 / sum };
}

function combine(guesses: readonly (LanguageGuess & { readonly weight: number })[]): LanguageGuess {
  const told = guesses.filter((guess) => guess.language !== '');
  const totals = new Map<string, number>();
  for (const { language, score, weight } of told) totals.set(language, (totals.get(language) ?? 0) + score * weight);
  let best: LanguageGuess = { language: '', score: 0 };
  for (const [language, total] of totals) if (total / told.length > best.score) best = { language, score: total / told.length };
  return best;
}
