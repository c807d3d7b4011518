import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { snapshotDay } from '../../src/corpus/snapshot-date.ts';
import { chooseWindow, type SourceWindow, type WindowOptions, type WindowShard } from '../../src/corpus/window.ts';

const base: WindowOptions = { window: 2, step: 1, round: 0, replay: 0, weights: {}, seed: 1 };
const shard = (source: string, snapshot: string, n = 0): WindowShard => ({
  source,
  snapshot,
  digest: `${source}/${snapshot}/${n}`,
  tokens: 10 * (n + 1),
});
const snapshotsIn = (window: SourceWindow<WindowShard>): string[] => [
  ...new Set(window.placements.filter((p) => p.copies > 0).map((p) => p.shard.snapshot)),
];

describe('chooseWindow', () => {
  const dumps = ['2026-03-01', '2026-01-01', '2026-04-01', '2026-02-01'].map((snapshot) =>
    shard('wikipedia', snapshot),
  );
  it.each([
    [0, ['2026-03-01', '2026-04-01'], { entered: 2, evicted: 2 }],
    [1, ['2026-01-01', '2026-02-01'], { entered: 2, waiting: 2 }],
    [2, ['2026-02-01', '2026-03-01'], { entered: 1, stayed: 1, evicted: 1, waiting: 1 }],
    [3, ['2026-03-01', '2026-04-01'], { entered: 1, stayed: 1, evicted: 2 }],
    [9, ['2026-03-01', '2026-04-01'], { stayed: 2, evicted: 2 }],
  ])('round %i of four dumps with a window of two', (round, snapshots, standings) => {
    const [window] = chooseWindow(dumps, { ...base, round });
    expect(snapshotsIn(window!)).toEqual(snapshots);
    expect(tally(window!.placements.map((p) => p.standing))).toEqual(standings);
  });

  const monthly = ['2026-01-01', '2026-02-01', '2026-03-01', '2026-05-01'].map((snapshot, n) =>
    shard('wikipedia', snapshot, n),
  ); // 10, 20, 30, 40 tokens
  it.each([
    ['60 days', { days: 60 }, [['01', '02', '03'], ['05'], ['05']]],
    ['59 days', { days: 59 }, [['01', '02'], ['02', '03'], ['05']]],
    ['a day', { days: 1 }, [['01'], ['02'], ['03']]],
    ['60 tokens', { tokens: 60 }, [['01', '02', '03'], ['05'], ['05']]],
    ['35 tokens', { tokens: 35 }, [['01', '02'], ['03'], ['05']]],
    ['fewer tokens than a snapshot has', { tokens: 5 }, [['01'], ['02'], ['03']]],
    [
      'the tightest of several limits',
      { days: 365, tokens: 1000, snapshots: 2 },
      [
        ['01', '02'],
        ['02', '03'],
        ['03', '05'],
      ],
    ],
  ])('a window of %s over three rounds', (_, window, expected) => {
    const months = (round: number): string[] =>
      snapshotsIn(chooseWindow(monthly, { ...base, window, round })[0]!).map((snapshot) => snapshot.slice(5, 7));
    expect([1, 2, 3].map(months)).toEqual(expected);
  });

  it('moves by fewer snapshots than `step` where not so many fit, and passes none by', () => {
    const months = (round: number): string[] =>
      snapshotsIn(chooseWindow(monthly, { ...base, window: { tokens: 50 }, step: 3, round })[0]!).map((snapshot) =>
        snapshot.slice(5, 7),
      );
    expect([1, 2, 3, 4].map(months)).toEqual([['01', '02'], ['02', '03'], ['05'], ['05']]);
  });

  it.each([
    ['2026-11-01', '2026-11-01'],
    ['20261101', '2026-11-01'],
    ['2026-11', '2026-11-01'],
    ['CC-NEWS-2016-08', '2016-08-01'],
    ['2026', '2026-01-01'],
    ['CC-MAIN-2026-01', '2025-12-29'],
    ['CC-MAIN-2026-43', '2026-10-19'],
    ['CC-MAIN-2021-04', '2021-01-25'],
    ['latest', undefined],
    ['2026-13-01', undefined],
    ['v12', undefined],
  ])('the day of %s is %s', (snapshot, day) =>
    expect(snapshotDay(snapshot)).toBe(day === undefined ? undefined : Date.parse(day) / 86_400_000),
  );

  it('does not guess the date of a snapshot', () => {
    expect(() =>
      chooseWindow([shard('crawl', 'first'), shard('crawl', 'second')], { ...base, window: { days: 30 } }),
    ).toThrow('"first" of "crawl" is not a date');
  });

  it('slides every source by its own snapshots and always has what has none', () => {
    const windows = chooseWindow([...dumps, shard('crawl', 'CC-MAIN-2026-05'), shard('books', '')], {
      ...base,
      round: 2,
    });
    expect(windows.map((window) => [window.source, snapshotsIn(window)])).toEqual([
      ['wikipedia', ['2026-02-01', '2026-03-01']],
      ['crawl', ['CC-MAIN-2026-05']],
      ['books', ['']],
    ]);
  });

  it.each([
    [0, 0],
    [0.25, 5],
    [0.5, 10],
    [1, 20],
    [1.5, 30],
    [3, 60],
  ])('a weight of %d makes 20 shards %d', (weight, copies) => {
    const shards = Array.from({ length: 20 }, (_, n) => shard('crawl', '2026', n));
    const [window] = chooseWindow(shards, { ...base, weights: { crawl: weight } });
    expect(window!.placements.reduce((sum, p) => sum + p.copies, 0)).toBe(copies);
    expect(
      Math.max(...window!.placements.map((p) => p.copies)) - Math.min(...window!.placements.map((p) => p.copies)),
    ).toBeLessThanOrEqual(1);
  });

  it('another seed replays other shards', () => {
    const shards = Array.from({ length: 40 }, (_, n) => shard('crawl', n < 20 ? '2025' : '2026', n));
    const replayed = (seed: number): string[] =>
      chooseWindow(shards, { ...base, window: 1, replay: 0.5, seed })[0]!
        .placements.filter((p) => p.standing === 'replayed')
        .map((p) => p.shard.digest)
        .sort();
    expect(replayed(1)).toHaveLength(10);
    expect(replayed(1)).toEqual(replayed(1));
    expect(replayed(1)).not.toEqual(replayed(2));
  });
});

/** Half of the doubles below 1 are below 1e-150, which is no share that anyone sets. */
const hundredths = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: 100 * most }).map((n) => n / 100);
const corpora = fc
  .record({
    shards: fc
      .uniqueArray(
        fc.tuple(
          fc.constantFrom('a', 'b'),
          fc.constantFrom('', '2024', '2025-01', '2025-02', '2026', '2027', '2028'),
          fc.nat(3),
        ),
        { maxLength: 40, selector: String },
      )
      .map((tuples) => tuples.map(([source, snapshot, n]) => shard(source, snapshot, n))),
    window: fc.oneof(
      fc.integer({ min: 1, max: 5 }),
      fc.record(
        {
          snapshots: fc.integer({ min: 1, max: 5 }),
          days: fc.integer({ min: 1, max: 1500 }),
          tokens: fc.integer({ min: 1, max: 300 }),
        },
        { requiredKeys: [] },
      ),
    ),
    step: fc.integer({ min: 1, max: 5 }),
    replay: hundredths(1),
    weights: fc.dictionary(fc.constantFrom('a', 'b'), hundredths(3)),
    seed: fc.nat(1000),
  })
  .map((options) => ({ ...options, step: Math.min(options.step, limitsOf(options).snapshots ?? Infinity) }));
const limitsOf = ({ window }: Pick<WindowOptions, 'window'>) =>
  typeof window === 'number' ? { snapshots: window } : window;

/** The windows of the first rounds, as many as bring in every snapshot. */
const rounds = ({
  shards,
  ...options
}: Omit<WindowOptions, 'round'> & { shards: readonly WindowShard[] }): SourceWindow<WindowShard>[][] =>
  Array.from({ length: 8 }, (_, index) => chooseWindow(shards, { ...options, round: index + 1 }));

describe('over rounds, whatever the shards', () => {
  it(
    'the window never holds more snapshots, days or tokens than it may, save a single snapshot, and one more would ' +
      'not fit',
    () =>
      fc.assert(
        fc.property(corpora, (corpus) => {
          const { snapshots: most = Infinity, days = Infinity, tokens = Infinity } = limitsOf(corpus);
          for (const round of rounds(corpus))
            for (const { source, begin, end, snapshots, placements } of round) {
              const fits = (from: number): boolean =>
                end - from <= most &&
                snapshotDay(snapshots[end - 1]!)! - snapshotDay(snapshots[from]!)! < days &&
                corpus.shards
                  .filter((own) => own.source === source && snapshots.slice(from, end).includes(own.snapshot))
                  .reduce((sum, own) => sum + own.tokens, 0) <= tokens;
              if (end - begin > 1) expect(fits(begin)).toBe(true);
              else expect(end - begin).toBe(Math.min(1, snapshots.length));
              if (begin > 0) expect(fits(begin - 1)).toBe(false);
              const inside = new Set(
                placements
                  .filter((p) => p.shard.snapshot !== '' && (p.standing === 'entered' || p.standing === 'stayed'))
                  .map((p) => p.shard.snapshot),
              );
              expect([...inside]).toEqual(snapshots.slice(begin, end));
            }
        }),
      ),
  );

  it('every shard enters exactly once', () =>
    fc.assert(
      fc.property(corpora, (corpus) => {
        const entered = new Map<WindowShard, number>();
        for (const { shard: own, standing } of rounds(corpus)
          .flat()
          .flatMap((window) => window.placements))
          if (standing === 'entered') entered.set(own, (entered.get(own) ?? 0) + 1);
        for (const own of corpus.shards) expect(entered.get(own)).toBe(1);
      }),
    ));

  it('what is evicted never returns, what is replayed stays replayed, and the copies of a shard never change', () => {
    const met = { evicted: 0, replayed: 0, copied: 0 };
    fc.assert(
      fc.property(corpora, (corpus) => {
        const last = new Map<WindowShard, { standing: string; copies: number }>();
        for (const { shard: own, standing, copies } of rounds(corpus)
          .flat()
          .flatMap((window) => window.placements)) {
          const before = last.get(own);
          if (before?.standing === 'evicted' || before?.standing === 'replayed') {
            expect(standing).toBe(before.standing);
            met[before.standing] += 1;
          }
          if (before && before.copies > 0 && copies > 0) {
            expect(copies).toBe(before.copies);
            met.copied += 1;
          }
          last.set(own, { standing, copies });
        }
      }),
    );
    expect(Object.entries(met).filter(([, times]) => times === 0)).toEqual([]);
  });

  it('replay keeps its share of what is evicted', () =>
    fc.assert(
      fc.property(corpora, (corpus) => {
        for (const { placements } of chooseWindow(corpus.shards, { ...corpus, weights: {}, round: 0 })) {
          const old = placements.filter((p) => p.standing === 'replayed' || p.standing === 'evicted');
          const kept = old.filter((p) => p.standing === 'replayed');
          expect(Math.abs(kept.length - old.length * corpus.replay)).toBeLessThanOrEqual(1);
        }
      }),
    ));

  it('the last round and no rounds choose the same', () =>
    fc.assert(
      fc.property(corpora, (corpus) => {
        const chosen = (windows: SourceWindow<WindowShard>[]): unknown =>
          windows.map((window) => window.placements.map((p) => [p.shard, p.copies]));
        expect(chosen(rounds(corpus).at(-1)!)).toEqual(chosen(chooseWindow(corpus.shards, { ...corpus, round: 0 })));
      }),
    ));

  it('the order in which shards are named does not matter', () =>
    fc.assert(
      fc.property(corpora, (corpus) => {
        const chosen = (shards: readonly WindowShard[]): unknown =>
          chooseWindow(shards, { ...corpus, round: 2 })
            .flatMap((window) => window.placements)
            .map((p) => `${p.shard.digest} ${p.standing} ${p.copies}`)
            .sort((a, b) => (a < b ? -1 : 1));
        expect(chosen([...corpus.shards].reverse())).toEqual(chosen(corpus.shards));
      }),
    ));
});

function tally(items: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[item] = (counts[item] ?? 0) + 1;
  return counts;
}
