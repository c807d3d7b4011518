/** Measures of a token's importance. */
export type ImportanceMeasure = 'surprisal' | 'tf-idf' | 'pmi';

/** How often tokens occur in a corpus, by id. */
export interface TokenFrequencies {
  readonly counts: Float64Array;
  /** Sequences in which a token occurs. */
  readonly sequencesWith: Float64Array;
  readonly sequences: number;
}

/** Importance of each token id; higher is more important. 0 for a token that never occurs. Only `pmi` needs `pairs`. */
export function importanceOf(
  measure: ImportanceMeasure,
  { counts, sequencesWith, sequences }: TokenFrequencies,
  pairs: ReadonlyMap<number, number>,
): Float64Array {
  switch (measure) {
    case 'surprisal':
      return surprisal(counts);
    case 'tf-idf':
      return tfIdf(counts, sequencesWith, sequences);
    case 'pmi':
      return meanPmi(pairs, counts.length);
  }
}

/** Counts tokens, except special ones. */
export class TokenCounts implements TokenFrequencies {
  readonly counts: Float64Array;
  readonly sequencesWith: Float64Array;
  sequences = 0;
  private readonly lastSeen: Int32Array;
  private readonly isSpecial: Uint8Array;

  constructor(isSpecial: Uint8Array) {
    this.isSpecial = isSpecial;
    this.counts = new Float64Array(isSpecial.length);
    this.sequencesWith = new Float64Array(isSpecial.length);
    this.lastSeen = new Int32Array(isSpecial.length);
  }

  add(ids: ArrayLike<number>): void {
    const { isSpecial, counts, lastSeen, sequencesWith } = this;
    const sequence = ++this.sequences;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (isSpecial[id]) continue;
      counts[id]!++;
      if (lastSeen[id] === sequence) continue;
      lastSeen[id] = sequence;
      sequencesWith[id]!++;
    }
  }
}

/** Counts of neighbouring tokens, except special ones. */
export class PairCounts {
  /** By `left * vocabSize + right`. */
  readonly pairs = new Map<number, number>();
  private readonly isSpecial: Uint8Array;

  constructor(isSpecial: Uint8Array) {
    this.isSpecial = isSpecial;
  }

  add(ids: ArrayLike<number>): void {
    const { isSpecial } = this;
    let previous = -1;
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i]!;
      if (!isSpecial[id] && previous >= 0) this.addPair(previous, id, 1);
      previous = isSpecial[id] ? -1 : id;
    }
  }

  addPair(left: number, right: number, by: number): void {
    const key = left * this.isSpecial.length + right;
    this.pairs.set(key, (this.pairs.get(key) ?? 0) + by);
  }
}

/** −log p of each token's unigram probability, in nats. */
export function surprisal(counts: Float64Array): Float64Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.map((count) => (count > 0 ? -Math.log(count / total) : 0));
}

/**
 * Mean count of a token in the sequences that contain it, times log of the inverse share of such sequences (smoothed).
 */
export function tfIdf(counts: Float64Array, sequencesWith: Float64Array, sequences: number): Float64Array {
  return counts.map((count, id) => {
    const having = sequencesWith[id]!;
    return having > 0 ? (count / having) * Math.log((1 + sequences) / (1 + having)) : 0;
  });
}

/**
 * Mean pointwise mutual information of a token with its left and right neighbours, in nats: how much they reveal about
 * each other. It is high for tokens of fixed phrases, and low for tokens that go with anything.
 * @param pairs counts by `left * vocabSize + right`
 */
export function meanPmi(pairs: ReadonlyMap<number, number>, vocabSize: number): Float64Array {
  const asLeft = new Float64Array(vocabSize);
  const asRight = new Float64Array(vocabSize);
  let total = 0;
  for (const [key, count] of pairs) {
    asLeft[Math.floor(key / vocabSize)]! += count;
    asRight[key % vocabSize]! += count;
    total += count;
  }
  const sum = new Float64Array(vocabSize);
  for (const [key, count] of pairs) {
    const left = Math.floor(key / vocabSize);
    const right = key % vocabSize;
    const information = count * Math.log((count * total) / (asLeft[left]! * asRight[right]!));
    sum[left]! += information;
    sum[right]! += information;
  }
  return sum.map((value, id) => (value === 0 ? 0 : value / (asLeft[id]! + asRight[id]!)));
}

/**
 * Masking probabilities from importance: logit p = b ∓ strength·z, where z is the importance in standard deviations
 * over the corpus (at most 3) and b is chosen so that the expected masked share of the corpus is `mlm_probability`.
 * @param favour which tokens get the higher probability
 */
export function calibrate(
  importance: Float64Array,
  counts: Float64Array,
  {
    mlm_probability,
    favour,
    strength,
  }: { mlm_probability: number; favour: 'unimportant' | 'important'; strength: number },
): Float32Array {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const mean = weightedSum(importance, counts, (value) => value) / total;
  const deviation = Math.sqrt(weightedSum(importance, counts, (value) => (value - mean) ** 2) / total);
  const slope = favour === 'important' ? strength : -strength;
  const tilt = importance.map((value) =>
    deviation > 0 ? slope * Math.max(-3, Math.min(3, (value - mean) / deviation)) : 0,
  );
  const share = (offset: number): number => weightedSum(tilt, counts, (value) => sigmoid(offset + value)) / total;
  let low = -60 - 3 * strength;
  let high = 60 + 3 * strength;
  for (let i = 0; i < 80 && total > 0; i++) {
    const middle = (low + high) / 2;
    if (share(middle) < mlm_probability) low = middle;
    else high = middle;
  }
  const offset = total > 0 ? (low + high) / 2 : Math.log(mlm_probability / (1 - mlm_probability));
  return Float32Array.from(tilt, (value) => sigmoid(offset + value));
}

function weightedSum(values: Float64Array, counts: Float64Array, of: (value: number) => number): number {
  return values.reduce((sum, value, id) => (counts[id]! > 0 ? sum + counts[id]! * of(value) : sum), 0);
}

function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
