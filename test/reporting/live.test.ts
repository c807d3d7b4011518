import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { EventBody } from '../../src/core/event.ts';
import { LiveReporter } from '../../src/reporting/live.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** What a terminal of some columns shows as `stage` of `events`, each so many milliseconds after the one before. */
function painted(columns: number, events: readonly (readonly [afterMs: number, EventBody])[]): string[] {
  const stream = Object.assign(new PassThrough(), { columns, rows: 24, isTTY: true });
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  const reporter = new LiveReporter(stream as unknown as NodeJS.WriteStream, ({ message }) => message);
  for (const [afterMs, body] of events) {
    vi.advanceTimersByTime(afterMs);
    reporter.event({ v: 1, time: Date.now(), ...body });
  }
  text = '';
  vi.advanceTimersByTime(100);
  reporter.end();
  return stripVTControlCharacters(text)
    .split('\n')
    .filter((line) => line.includes('stage'));
}

const runStart: EventBody = {
  type: 'run-start',
  run: 'r',
  pipeline: 'p',
  file: 'p.yaml',
  store: 's',
  stages: [{ id: 'stage', uses: 'x' }],
};
const start = (actions: number, cached: number): EventBody => ({
  type: 'stage-start',
  stage: 'stage',
  actions,
  cached,
});
const progress = (done: number, action = 'stage', note = 'loss 3.2'): EventBody => ({
  type: 'progress',
  stage: 'stage',
  action,
  done,
  total: 100,
  unit: 'steps',
  note,
});
const end = (action: string): EventBody => ({ type: 'action-end', stage: 'stage', action, ok: true, durationMs: 1 });

it.each([
  [
    'elapsed time before any progress',
    80,
    [
      [0, start(1, 0)],
      [4_000, end('other')],
    ],
    /stage {4}4\.1s$/,
  ],
  [
    'share, rate, time left and note',
    80,
    [
      [0, start(1, 0)],
      [2_000, progress(10)],
      [2_000, progress(30)],
    ],
    /█████░{11} {2}30% 10 steps\/s · 7\.0s left · loss 3\.2$/,
  ],
  [
    'a resumed stage by what it does now',
    80,
    [
      [0, start(1, 0)],
      [2_000, progress(80)],
      [2_000, progress(90)],
    ],
    / 90% 5 steps\/s · 2\.0s left/,
  ],
  [
    'parts, cached ones without time',
    80,
    [
      [0, start(4, 1)],
      [1_000, progress(100, 'a')],
      [0, end('a')],
      [900, progress(50, 'b')],
    ],
    / 63% 2\/4 parts · 75 steps\/s · 2\.0s left/,
  ],
  [
    'no more than fits',
    40,
    [
      [0, start(1, 0)],
      [2_000, progress(10)],
      [2_000, progress(30)],
    ],
    /^. stage .{30}…$/,
  ],
  [
    'no more than fits of wide characters',
    24,
    [
      [0, start(1, 0)],
      [2_000, { type: 'progress', stage: 'stage', action: 'stage', done: 10, unit: 'pages', note: '读取北京维基百科' }],
    ],
    /^. stage {4}2\.1s · 读取…$/,
  ],
] as const)('%s', (_, columns, events, line) => {
  expect(painted(columns, [[0, runStart], ...events])).toEqual([expect.stringMatching(line)]);
});
