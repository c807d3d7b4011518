import { existsSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { openAttempts } from '../../src/runner/attempts.ts';
import { layoutOf } from '../../src/store/layout.ts';

test('a run that begins does not sweep away one that begins beside it', async () => {
  const layout = layoutOf(mkdtempSync(join(tmpdir(), 'attempts-')));
  const sweeper = join(layout.root, 'sweeper.mjs');
  await build({
    stdin: {
      contents:
        'import { sweepAttempts } from ' +
        `${JSON.stringify(join(import.meta.dirname, '../../src/runner/attempts.ts'))}; for (;;) ` +
        `sweepAttempts(${JSON.stringify(layout.attempts)});`,
      resolveDir: layout.root,
    },
    outfile: sweeper,
    bundle: true,
    format: 'esm',
    platform: 'node',
    logLevel: 'error',
  });
  const worker = new Worker(sweeper);
  await new Promise((resolve) => worker.once('online', resolve));
  try {
    const end = Date.now() + 1_500;
    let run = 0;
    for (; Date.now() < end; run++) {
      const attempts = openAttempts(layout, `run-${run}`);
      expect(existsSync(attempts.create())).toBe(true);
      attempts.close();
    }
    expect(run).toBeGreaterThan(20);
  } finally {
    await worker.terminate();
  }
});
