import { createHash } from 'node:crypto';

/** What the choice needs to know of a shard. */
export interface WindowShard {
  readonly source: string;
  /** Snapshot id; ids of a source sort by age. Empty: the shard has no age and is always in. */
  readonly snapshot: string;
  readonly digest: string;
}

export interface WindowOptions {
  /** Snapshots of each source that are in at a time. */
  readonly window: number;
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

/** Where a shard stands: new in this round, in since an earlier one, gone, gone but kept by `replay`, or yet to come. */
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
 * In round r the window ends after snapshot `window + (r - 1) * step`, or after the last when there are no more.
 */
export function chooseWindow<S extends WindowShard>(shards: readonly S[], options: WindowOptions): SourceWindow<S>[] {
  const bySource = new Map<string, S[]>();
  for (const shard of shards) bySource.set(shard.source, [...(bySource.get(shard.source) ?? []), shard]);
  return [...bySource].map(([source, own]) => windowOf(source, own, options));
}

function windowOf<S extends WindowShard>(source: string, shards: readonly S[], options: WindowOptions): SourceWindow<S> {
  const snapshots = [...new Set(shards.map((shard) => shard.snapshot))].filter((snapshot) => snapshot !== '').sort(compare);
  const now = bounds(snapshots.length, options.round, options);
  const before = options.round === 0
    ? { begin: 0, end: now.begin } // without rounds, what is older than the window counts as evicted from one before
    : options.round === 1 ? { begin: 0, end: 0 } : bounds(snapshots.length, options.round - 1, options);

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

function bounds(count: number, round: number, { window, step }: WindowOptions): { begin: number; end: number } {
  const end = round === 0 ? count : Math.min(count, window + (round - 1) * step);
  return { begin: Math.max(0, end - window), end };
}

/** Oldest snapshot first and shuffled by the seed within one, so that a share of them is a fair sample. */
function inOrder<S extends WindowShard>(shards: readonly S[], seed: number): S[] {
  return shards
    .map((shard) => ({ shard, rank: uniform(seed, 'order', shard.digest) }))
    .sort((a, b) => compare(a.shard.snapshot, b.shard.snapshot) || a.rank - b.rank)
    .map(({ shard }) => shard);
}

/**
 * Systematic sampling: whole numbers whose running sum never strays more than 1 from `rate` times their count, so a rate
 * of 0.1 takes every tenth and 1.5 alternates 1 and 2. What comes later does not change what came before.
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
