import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** Minutes of computing where native backends are set up: run by `npm test`, not by `npm run check`. */
const backends = [
  'test/conformance/cuda.test.ts',
  'test/conformance/gpu-check.test.ts',
  'test/conformance/transformers.test.ts',
  'test/conformance/training.test.ts',
  'test/backends/torch-memory.test.ts',
];

export default defineConfig({
  test: {
    // Vitest leaves one core free; on two that means one file at a time, and the runner's tests mostly wait for
    // processes.
    maxWorkers: availableParallelism(),
    globalSetup: 'test/rig/temporary-folder.ts',
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/e2e/**', ...backends],
          testTimeout: 30_000,
        },
      },
      { test: { name: 'backends', include: backends, testTimeout: 600_000, hookTimeout: 600_000 } },
      { test: { name: 'e2e', include: ['test/e2e/**/*.test.ts'], testTimeout: 300_000, hookTimeout: 300_000 } },
    ],
  },
});
