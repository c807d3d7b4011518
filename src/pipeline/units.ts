const durations: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const powers: Readonly<Record<string, number>> = { '': 0, k: 1, K: 1, M: 2, G: 3, T: 4 };

/** Milliseconds of `90s`, `10m`, `1.5h`; `undefined` for anything else. */
export function parseDurationMs(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text) ?? [];
  const scale = durations[unit ?? ''];
  return scale === undefined ? undefined : Math.round(Number(amount) * scale);
}

/** Bytes of `4GiB` (powers of 1024), `500MB` (powers of 1000) or a plain number; `undefined` for anything else. */
export function parseBytes(text: string | number): number | undefined {
  if (typeof text === 'number') return text;
  const match = /^(\d+(?:\.\d+)?) ?([kKMGT]?)(i?)B?$/.exec(text);
  const power = powers[match?.[2] ?? ''];
  if (match === null || power === undefined) return undefined;
  return Math.round(Number(match[1]) * (match[3] === 'i' ? 1024 : 1000) ** power);
}
