import { createHash } from 'node:crypto';
import { fail } from '../core/diagnostic.ts';
import { snapshotDay } from './snapshot-date.ts';

/** What the choice needs to know of a shard. */
export interface WindowShard {
  readonly source: string;
  /** Snapshot id; ids of a source sort by age. Empty: the shard has no age and is always in. */
  readonly snapshot: string;
  readonly digest: string;
  /** Tokens in it, roughly; only a window with a token budget asks. */
  readonly tokens: number;
}

/** How much a window holds at most; where several limits are set, all of them hold. */
export interface WindowSize {
  readonly snapshots?: number;
  /** Days from the first moment of the oldest snapshot to that of the newest, exclusive. */
  readonly days?: number;
  readonly tokens?: number;
}

export interface WindowOptions {
  /** What of each source is in at a time: a number of snapshots, or limits; always a snapshot at least. */
  readonly window: number | WindowSize;
  /** Snapshots by which the window moves from one round to the next. */
  readonly step: number;
  /** Round number from 1; 0 is the newest window there is. */
  readonly round: number;
  /** Share of evicted shards that stay, 0 to 1. */
  readonly replay: number;
  /** How many times the shards of a source count, 1 where nothing is said; fractions take or repeat a share of them. */
  readonly weights: Readonly<Record<string, number>>;
  readonly seed: number;
}

/**
 * Where a shard stands: new in this round, in since an earlier one, gone, gone but kept by `replay`, or yet to come.
 */
export type Standing = 'entered' | 'stayed' | 'evicted' | 'replayed' | 'waiting';

export interface Placement<S> {
  readonly shard: S;
  readonly standing: Standing;
  /** How many times the shard is in the output: its weight's copies, or 0. */
  readonly copies: number;
}

export interface SourceWindow<S> {
  readonly source: string;
  /** Every snapshot, oldest first, without the empty one. */
  readonly snapshots: readonly string[];
  /** Snapshots that are in: `snapshots.slice(begin, end)`. */
  readonly begin: number;
  readonly end: number;
  /** Every shard of the source, oldest snapshot first. */
  readonly placements: readonly Placement<S>[];
}

/**
 * Slide a window over the snapshots of every source. A pure function of its arguments: whether a shard is replayed and
 * how often it is repeated depends on the seed and the shards up to it, so it is the same in every round.
 *
 * In round 1 the window holds as many of the oldest snapshots as fit; from round to round its end moves by `step`
 * snapshots, as far as there are any, and it reaches back from there as far as fits. It moves by fewer where not so
 * many fit, so that every snapshot is in for a round.
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
      ? { begin: 0, end: now.begin } // without rounds, what is older than the window counts as evicted from one before
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
              `The snapshot "${snapshot}" of "${source}" is no date, so there is no telling which days a window ` +
                `of ${days} takes in.`,
              'Set `window` in snapshots, or name snapshots YYYY-MM-DD or CC-MAIN-YYYY-WW.',
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
 * Systematic sampling: whole numbers whose running sum never strays more than 1 from `rate` times their count, so a
 * rate of 0.1 takes every tenth and 1.5 alternates 1 and 2. What comes later does not change what came before.
 */
function evenly(rate: number, offset: number): () => number {
  let n = 0;
  return () => {
    const before = Math.floor(n * rate + offset);
    return Math.floor(++n * rate + offset) - before;
  };
}

/** A number in [0, 1) that the seed and a name determine. */
function uniform(seed: number, use: string, name: string): number {
  return createHash('sha256').update(`${seed}\0${use}\0${name}`).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** By code unit, the same on every machine. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
