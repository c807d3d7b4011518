import { KeyedRandom } from '../text/random.ts';

/**
 * How to mask; the content of `mask-plan.json`. Selected positions become `<mask>` or a random token, and the rest are
 * kept.
 */
export interface MaskSettings {
  readonly mode: 'static' | 'dynamic' | 'importance';
  /** Fraction of the ordinary positions to select, in epoch 0. */
  readonly mlm_probability: number;
  /** Fraction in the last of `epochs` and after it; in between it changes linearly. */
  readonly mlm_probability_end?: number;
  readonly epochs: number;
  readonly seed: number;
  readonly mask_replace_prob: number;
  readonly random_replace_prob: number;
  /** Select whole words, not tokens. */
  readonly whole_word: boolean;
  /** Maximum number of neighbouring tokens, or words, selected together; 1 selects them singly. */
  readonly max_span_length: number;
  /** Parameter of the geometric distribution of span lengths. */
  readonly span_p: number;
  readonly special_ids: readonly number[];
  readonly mask_id: number;
  readonly vocab_size: number;
}

/** A loaded mask plan, made by {@link createMaskPlan}. */
export interface MaskPlan extends MaskSettings {
  /** 1 for an id that is never masked. */
  readonly isSpecial: Uint8Array;
  /** Ids that may replace a token. */
  readonly ordinaryIds: Uint32Array;
  /** Probability of each id, in `importance` mode. */
  readonly probability: Float32Array | undefined;
}

/** A sequence after masking. */
export interface MaskedSequence {
  /** The input of the model. */
  readonly input_ids: Uint32Array;
  /** Selected positions, ascending. */
  readonly positions: Uint16Array;
  /** Original ids at `positions`. */
  readonly labels: Uint32Array;
}

/** 1 for each of N ids that is a special token's. */
export function markSpecial(ids: readonly number[], vocabSize: number): Uint8Array {
  const isSpecial = new Uint8Array(vocabSize);
  for (const id of ids) isSpecial[id] = 1;
  return isSpecial;
}

export function createMaskPlan(settings: MaskSettings, probability?: Float32Array): MaskPlan {
  const isSpecial = markSpecial(settings.special_ids, settings.vocab_size);
  const ordinaryIds = Uint32Array.from(isSpecial.keys()).filter((id) => !isSpecial[id]);
  return { ...settings, isSpecial, ordinaryIds, probability };
}

/**
 * The masked form of a sequence: a pure function of plan, sequence, epoch and index, so that a run that is resumed or
 * distributed over machines sees the same patterns. The number of positions is ⌊mlm_probability·n + u⌋ for n ordinary
 * positions and u uniform on [0, 1), as in fairseq; each becomes `<mask>`, a random ordinary token or stays.
 *
 * With `whole_word`, words are taken in random order until that number is reached. The word that would exceed it is
 * taken with the probability that keeps the expected number of tokens correct, and words are never split. With spans
 * (SpanBERT, Joshi et al. 2020), each token or word drawn also selects those after it, up to a length drawn for it.
 * @param word_starts positions at which a word begins, ascending
 * @param index number of the sequence in its dataset
 */
export function maskSequence(
  plan: MaskPlan,
  input_ids: ArrayLike<number>,
  word_starts: ArrayLike<number>,
  epoch: number,
  index: number,
): MaskedSequence {
  const random = new KeyedRandom(plan.seed, epoch, index);
  const eligible = ordinaryPositions(plan, input_ids);
  const wanted = Math.floor(mlmProbabilityAt(plan, epoch) * eligible.length + random.next());
  const chosen =
    plan.whole_word || plan.max_span_length > 1
      ? chooseUnits(
          plan,
          input_ids,
          plan.whole_word ? splitWords(eligible, word_starts) : Array.from(eligible, (position) => [position]),
          wanted,
          random,
        )
      : choosePositions(plan, input_ids, eligible, wanted, random);
  // One buffer for all three: making one takes longer than filling it.
  const { length } = input_ids;
  const buffer = new ArrayBuffer(length * 4 + chosen.length * 6);
  const masked = new Uint32Array(buffer, 0, length);
  const labels = new Uint32Array(buffer, length * 4, chosen.length);
  const positions = new Uint16Array(buffer, length * 4 + chosen.length * 4, chosen.length);
  masked.set(input_ids);
  putInOrder(chosen, length, positions);
  for (let i = 0; i < positions.length; i++) {
    const position = positions[i]!;
    labels[i] = masked[position]!;
    const u = random.next();
    const replacement = random.below(plan.ordinaryIds.length);
    if (u < plan.mask_replace_prob) masked[position] = plan.mask_id;
    else if (u < plan.mask_replace_prob + plan.random_replace_prob) masked[position] = plan.ordinaryIds[replacement]!;
  }
  return { input_ids: masked, positions, labels };
}

/** Fraction of positions to select in an epoch, counted from 0. */
export function mlmProbabilityAt(
  { mlm_probability, mlm_probability_end: end, epochs }: MaskSettings,
  epoch: number,
): number {
  if (end === undefined) return mlm_probability;
  return epochs <= 1 ? end : mlm_probability + (end - mlm_probability) * Math.min(1, epoch / (epochs - 1));
}

/**
 * Space for the positions of a sequence, and a mark for each; reused for every sequence, with all marks 0 in between.
 */
let room = new Uint16Array(1024);
let marks = new Uint8Array(1024);

/** Valid until the next call. */
function ordinaryPositions({ isSpecial }: MaskPlan, ids: ArrayLike<number>): Uint16Array {
  if (ids.length > room.length) [room, marks] = [new Uint16Array(ids.length), new Uint8Array(ids.length)];
  const positions = room;
  let count = 0;
  // Without a branch, which would often be mispredicted.
  for (let i = 0; i < ids.length; i++) {
    positions[count] = i;
    count += 1 - isSpecial[ids[i]!]!;
  }
  return positions.subarray(0, count);
}

/** Put positions in ascending order by marking each: sorting would take longer than everything else. */
function putInOrder(positions: ArrayLike<number>, length: number, sorted: Uint16Array): void {
  for (let i = 0; i < positions.length; i++) marks[positions[i]!] = 1;
  let count = 0;
  for (let position = 0; position < length; position++) {
    if (marks[position] === 0) continue;
    marks[position] = 0;
    sorted[count++] = position;
  }
}

/** The ordinary positions as words; a word ends before the next start and before a special token. */
function splitWords(eligible: Uint16Array, starts: ArrayLike<number>): number[][] {
  const words: number[][] = [];
  let next = 0;
  let previous = -2;
  for (const position of eligible) {
    while (next < starts.length && starts[next]! < position) next++;
    if (starts[next] === position || position !== previous + 1) words.push([]);
    words.at(-1)!.push(position);
    previous = position;
  }
  return words;
}

function choosePositions(
  { probability }: MaskPlan,
  ids: ArrayLike<number>,
  eligible: Uint16Array,
  wanted: number,
  random: KeyedRandom,
): ArrayLike<number> {
  if (probability)
    return firstInParetoOrder(Array.from(eligible), wanted, (position) => probability[ids[position]!]!, random);
  for (let i = 0; i < wanted; i++) swap(eligible, i, i + random.below(eligible.length - i));
  return eligible.subarray(0, wanted);
}

/** Units are words or single positions, in order; the units of a span are adjacent in the sequence. */
function chooseUnits(
  plan: MaskPlan,
  ids: ArrayLike<number>,
  units: readonly number[][],
  wanted: number,
  random: KeyedRandom,
): readonly number[] {
  const { probability } = plan;
  const mean = (unit: readonly number[]): number =>
    unit.reduce((sum, position) => sum + probability![ids[position]!]!, 0) / unit.length;
  // Every unit of this order that is looked at is selected, so one more than `wanted` is enough.
  const order = firstInParetoOrder(
    [...units.keys()],
    wanted + 1,
    probability ? (unit) => mean(units[unit]!) : () => 0.5,
    random,
  );
  const isChosen = new Uint8Array(units.length);
  const chosen: number[] = [];
  for (const start of order) {
    const end = start + (isChosen[start] ? 0 : spanLength(plan, random));
    for (let unit = start; unit < end; unit++) {
      const positions = units[unit];
      if (positions === undefined || isChosen[unit] || (unit > start && units[unit - 1]!.at(-1)! + 1 !== positions[0]))
        break;
      const room = wanted - chosen.length;
      if (positions.length > room)
        return room > 0 && random.next() * positions.length < room ? [...chosen, ...positions] : chosen;
      isChosen[unit] = 1;
      chosen.push(...positions);
    }
  }
  return chosen;
}

/** Geometric with parameter `span_p`, truncated at `max_span_length`. */
function spanLength({ max_span_length: most, span_p: p }: MaskPlan, random: KeyedRandom): number {
  if (most === 1 || p === 1) return 1;
  const within = 1 - (1 - p) ** most;
  return Math.min(most, 1 + Math.floor(Math.log(1 - random.next() * within) / Math.log(1 - p)));
}

/**
 * The first `count` items of a random order in which items with a high probability tend to come first. An item is
 * included with odds proportional to p/(1−p) (Pareto sampling, Rosén 1997), whatever `count` is.
 */
function firstInParetoOrder<T>(
  items: readonly T[],
  count: number,
  probabilityOf: (item: T) => number,
  random: KeyedRandom,
): T[] {
  const keys = new Float64Array(items.length);
  for (let i = 0; i < keys.length; i++) {
    const u = random.next();
    const p = probabilityOf(items[i]!);
    keys[i] = (u / (1 - u)) * ((1 - p) / p);
  }
  const last = keys.slice().sort()[Math.min(count, keys.length) - 1];
  if (last === undefined) return [];
  const first: number[] = [];
  for (let i = 0; i < keys.length; i++) if (keys[i]! <= last) first.push(i);
  return first
    .sort((a, b) => keys[a]! - keys[b]! || a - b)
    .slice(0, count)
    .map((index) => items[index]!);
}

function swap(items: Uint16Array, a: number, b: number): void {
  const item = items[a]!;
  items[a] = items[b]!;
  items[b] = item;
}
