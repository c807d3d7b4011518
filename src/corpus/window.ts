import { createHash } from 'node:crypto';
import { fail } from '../core/diagnostic.ts';
import { snapshotDay } from './snapshot-date.ts';

/** What the choice needs to know about a shard. */
export interface WindowShard {
  readonly source: string;
  /** Snapshot id; ids of a source sort by age. Empty: the shard has no age and is always in the window. */
  readonly snapshot: string;
  readonly digest: string;
  /** Approximate number of tokens; only needed for a window with a token budget. */
  readonly tokens: number;
}

/** Upper limits for a window; if several are set, all of them apply. */
export interface WindowSize {
  readonly snapshots?: number;
  /** Days from the beginning of the oldest snapshot to that of the newest, exclusive. */
  readonly days?: number;
  readonly tokens?: number;
}

export interface WindowOptions {
  /** How much of each source the window holds: a number of snapshots, or limits; always at least one snapshot. */
  readonly window: number | WindowSize;
  /** Snapshots by which the window moves from one round to the next. */
  readonly step: number;
  /** Round number from 1; 0 is the newest window. */
  readonly round: number;
  /** Fraction of evicted shards that stay, 0 to 1. */
  readonly replay: number;
  /** How many times the shards of each source count; default: 1. Fractions take or repeat a share of them. */
  readonly weights: Readonly<Record<string, number>>;
  readonly seed: number;
}

/**
 * The state of a shard: new in this round, in since an earlier one, evicted, evicted but kept by `replay`, or yet to
 * come.
 */
export type Standing = 'entered' | 'stayed' | 'evicted' | 'replayed' | 'waiting';

export interface Placement<S> {
  readonly shard: S;
  readonly standing: Standing;
  /** How many times the shard is in the output: as its weight says, or 0. */
  readonly copies: number;
}

export interface SourceWindow<S> {
  readonly source: string;
  /** All snapshots, oldest first, without the empty one. */
  readonly snapshots: readonly string[];
  /** The snapshots in the window are `snapshots.slice(begin, end)`. */
  readonly begin: number;
  readonly end: number;
  /** All shards of the source, oldest snapshot first. */
  readonly placements: readonly Placement<S>[];
}

/**
 * Slide a window over the snapshots of every source. A pure function of its arguments. Whether a shard is replayed and
 * how often it is repeated depends on the seed and the shards up to it, so the answer is the same in every round.
 *
 * In round 1 the window holds as many of the oldest snapshots as fit. Each round moves its end by up to `step`
 * snapshots, and the window extends back from there as far as the limits allow. It moves by less when fewer snapshots
 * fit, so that every snapshot is in the window for at least one round.
 */
export function chooseWindow<S extends WindowShard>(shards: readonly S[], options: WindowOptions): SourceWindow<S>[] {
  const bySource = new Map<string, S[]>();
  for (const shard of shards) bySource.set(shard.source, [...(bySource.get(shard.source) ?? []), shard]);
  return [...bySource].map(([source, own]) => windowOf(source, own, options));
}

function windowOf<S extends WindowShard>(
  source: string,
  shards: readonly S[],
  options: WindowOptions,
): SourceWindow<S> {
  const snapshots = [...new Set(shards.map((shard) => shard.snapshot))]
    .filter((snapshot) => snapshot !== '')
    .sort(compare);
  const fits = fitting(source, snapshots, shards, options.window);
  const bounds = (round: number): { begin: number; end: number } =>
    windowBounds(snapshots.length, round, options.step, fits);
  const now = bounds(options.round);
  const before =
    options.round === 0
      ? { begin: 0, end: now.begin } // without rounds, older snapshots count as evicted from an earlier window
      : options.round === 1
        ? { begin: 0, end: 0 }
        : bounds(options.round - 1);

  const copiesOfNext = evenly(options.weights[source] ?? 1, uniform(options.seed, 'weight', source));
  const keepsNext = evenly(options.replay, uniform(options.seed, 'replay', source));
  const placements = inOrder(shards, options.seed).map((shard): Placement<S> => {
    const weighted = copiesOfNext();
    const place = (standing: Standing, copies: number): Placement<S> => ({ shard, standing, copies });
    if (shard.snapshot === '') return place(options.round > 1 ? 'stayed' : 'entered', weighted);
    const index = snapshots.indexOf(shard.snapshot);
    if (index >= now.end) return place('waiting', 0);
    if (index >= now.begin) return place(index >= before.begin && index < before.end ? 'stayed' : 'entered', weighted);
    return weighted > 0 && keepsNext() > 0 ? place('replayed', weighted) : place('evicted', 0);
  });
  return { source, snapshots, ...now, placements };
}

type Fits = (begin: number, end: number) => boolean;

function windowBounds(count: number, round: number, step: number, fits: Fits): { begin: number; end: number } {
  const beginFor = (end: number): number => {
    let begin = Math.max(0, end - 1);
    while (begin > 0 && fits(begin - 1, end)) begin--;
    return begin;
  };
  if (round === 0) return { begin: beginFor(count), end: count };
  let end = Math.min(1, count);
  while (end < count && fits(0, end + 1)) end++;
  for (let turn = 1; turn < round && end < count; turn++) {
    const before = end;
    end = Math.min(count, before + step);
    while (end > before + 1 && beginFor(end) > before) end--;
  }
  return { begin: beginFor(end), end };
}

/** Whether `snapshots.slice(begin, end)` is within the window's limits. */
function fitting(
  source: string,
  snapshots: readonly string[],
  shards: readonly WindowShard[],
  window: number | WindowSize,
): Fits {
  const {
    snapshots: most = Infinity,
    days = Infinity,
    tokens = Infinity,
  } = typeof window === 'number' ? { snapshots: window } : window;
  const day =
    days === Infinity
      ? []
      : snapshots.map(
          (snapshot) =>
            snapshotDay(snapshot) ??
            fail(
              'undated-snapshot',
              `The snapshot "${snapshot}" of "${source}" is not a date, so the limit \`days: ${days}\` ` +
                'cannot be applied.',
              'Set `window` to a number of snapshots, or name snapshots YYYY-MM-DD or CC-MAIN-YYYY-WW.',
            ),
        );
  const tokensBefore = [0];
  for (const snapshot of tokens === Infinity ? [] : snapshots)
    tokensBefore.push(
      tokensBefore.at(-1)! + shards.reduce((sum, shard) => (shard.snapshot === snapshot ? sum + shard.tokens : sum), 0),
    );
  return (begin, end) =>
    end - begin <= most &&
    (days === Infinity || day[end - 1]! - day[begin]! < days) &&
    (tokens === Infinity || tokensBefore[end]! - tokensBefore[begin]! <= tokens);
}

/** Oldest snapshot first and shuffled by the seed within one, so that a share of them is a fair sample. */
function inOrder<S extends WindowShard>(shards: readonly S[], seed: number): S[] {
  return shards
    .map((shard) => ({ shard, rank: uniform(seed, 'order', shard.digest) }))
    .sort((a, b) => compare(a.shard.snapshot, b.shard.snapshot) || a.rank - b.rank)
    .map(({ shard }) => shard);
}

/**
 * Systematic sampling: whole numbers whose running sum never differs by more than 1 from `rate` times their count. A
 * rate of 0.1 takes every tenth item, and 1.5 alternates between 1 and 2. Later items do not change earlier ones.
 */
function evenly(rate: number, offset: number): () => number {
  let n = 0;
  return () => {
    const before = Math.floor(n * rate + offset);
    return Math.floor(++n * rate + offset) - before;
  };
}

/** A number in [0, 1) determined by the seed and a name. */
function uniform(seed: number, use: string, name: string): number {
  return createHash('sha256').update(`${seed}\0${use}\0${name}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** By code unit, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
