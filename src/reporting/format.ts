import type { BackendChoice } from '../core/backend.ts';

/** `850ms`, `12.3s`, `4m05s`, `2h10m`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)}ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)}s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m${String(Math.floor((ms % 60_000) / 1000)).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h${String(minutes % 60).padStart(2, '0')}m`;
}

/** `950 B`, `1.4 KiB`, `3.0 GiB`. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** `950`, `12.3k`, `4.5M`. */
export function count(value: number): string {
  if (value < 1000) return Number.isInteger(value) ? String(value) : value.toPrecision(3);
  const units = ['', 'k', 'M', 'G', 'T'];
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${scaled.toFixed(scaled < 10 ? 2 : scaled < 100 ? 1 : 0)}${units[unit]}`;
}

/** `1 stage`, `15 stages`. */
export function plural(value: number, noun: string): string {
  return `${value} ${noun}${value === 1 ? '' : 's'}`;
}

/** A metric for people: 4 significant digits; whole numbers stay whole. */
export function metric(value: number): string {
  return Number.isInteger(value) ? value.toLocaleString('en-US') : String(Number(value.toPrecision(4)));
}

/**
 * The tensor backend, why it was chosen, and what would be faster: `backend wasm 4.22.0 on cpu: torch is not set up
 * (…)`.
 */
export function describeBackend({ name, version, device, reason, hint }: BackendChoice): string {
  return `backend ${name} ${version} on ${device}: ${reason}${hint === undefined ? '' : ` (${hint})`}`;
}
