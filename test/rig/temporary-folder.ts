import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';

/** Every test's folders lie in one, which goes when all tests have passed and stays to be looked at when one failed. */
export default function setup({ vitest }: TestProject): () => void {
  const outside = process.env['TMPDIR'];
  const folder = mkdtempSync(join(tmpdir(), 'run-pipeline-test-'));
  process.env['TMPDIR'] = folder;
  return () => {
    if (outside === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = outside;
    if (vitest.state.getCountOfFailedTests() > 0) console.log(`The tests' folders are in ${folder}.`);
    else rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  };
}
