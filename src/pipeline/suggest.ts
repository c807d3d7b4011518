/** `did you mean …?` if one of the candidates is close to the text, otherwise a list of a few of them. */
export function suggest(written: string, candidates: readonly string[], what: string): string | undefined {
  const close = closest(written, candidates);
  if (close !== undefined) return `did you mean \`${close}\`?`;
  if (candidates.length === 0) return undefined;
  const shown = [...candidates]
    .sort()
    .slice(0, 20)
    .map((name) => `\`${name}\``)
    .join(', ');
  return `${what}: ${shown}${candidates.length > 20 ? ', …' : ''}`;
}

/** The candidate with the smallest edit distance, if that is small for its length. */
export function closest(written: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(Math.min(written.length, 40) / 3)) + 0.5;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - written.length) > bestDistance) continue;
    const distance = editDistance(written.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/**
 * The language meant by `zho`, `chi`, `zh-CN` or, commonly, the country: `cn`. Edit distance would suggest Bengali for
 * that.
 * @param languages ISO 639-1 codes
 */
export function meantLanguage(written: string, languages: readonly string[]): string | undefined {
  try {
    const { language } = new Intl.Locale(written);
    if (languages.includes(language)) return language;
    const isCountry =
      new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of(written.toUpperCase()) !== undefined;
    return isCountry
      ? languages.find((code) => code === new Intl.Locale(`und-${written}`).maximize().language)
      : undefined;
  } catch {
    return undefined; // not a language tag, or not one of a country
  }
}

/** Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours. */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    [beforeLast, last] = [last, row];
  }
  return last[b.length] ?? 0;
}
