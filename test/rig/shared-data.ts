import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Real files that lie beside the project on some machines, or where `RUN_PIPELINE_TEST_DATA` says. What they show is
 * shown by files of our own too: test/fixtures and samples.
 */
export const sharedData = process.env['RUN_PIPELINE_TEST_DATA'] ?? join(import.meta.dirname, '../../../shared/data');

/** Why tests on the real files cannot run here, printed once as their reason to skip. */
export const sharedDataMissing = existsSync(sharedData) ? undefined : `there is no ${sharedData}`;
if (sharedDataMissing !== undefined) console.log(`skipped: ${sharedDataMissing}`);
