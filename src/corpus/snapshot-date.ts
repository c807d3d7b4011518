/**
 * The day on which a snapshot begins, counted from 1970, or `undefined` when its id is not a date: `2026-11-01`,
 * `20261101`, `2026-11`, `2026`, with anything before it, or Common Crawl's year and week, `CC-MAIN-2026-43`.
 * @example snapshotDay('CC-MAIN-2026-01') === snapshotDay('2025-12-29')
 */
export function snapshotDay(snapshot: string): number | undefined {
  const week = /^CC-MAIN-(\d{4})-(\d{2})$/.exec(snapshot);
  if (week !== null) {
    // ISO 8601: the week of 4 January is the first, and weeks begin on Monday.
    const fourth = Date.UTC(Number(week[1]), 0, 4) / dayMs;
    return fourth - ((fourth + 3) % 7) + (Number(week[2]) - 1) * 7;
  }
  const date = /(?:^|\D)(\d{4})(?:-?(\d{2})(?:-?(\d{2}))?)?$/.exec(snapshot);
  if (date === null) return undefined;
  const [year, month, day] = [Number(date[1]), Number(date[2] ?? 1), Number(date[3] ?? 1)];
  const time = new Date(Date.UTC(year, month - 1, day));
  return time.getUTCMonth() === month - 1 && time.getUTCDate() === day ? time.getTime() / dayMs : undefined;
}

const dayMs = 86_400_000;
