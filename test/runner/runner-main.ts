import { readFileSync } from 'node:fs';
import type { Pipeline } from '../../src/core/pipeline.ts';
import { createLocalExecutor } from '../../src/executors/local.ts';
import { runPipeline } from '../../src/runner/run-pipeline.ts';
import { createStore } from '../../src/store/store.ts';

const [file = '', store = '', outputsDir = '', contracts = '', workerEntry = ''] = process.argv.slice(2);
const pipeline = JSON.parse(readFileSync(file, 'utf8')) as Pipeline;
const result = await runPipeline(pipeline, {
  store: createStore(store),
  contracts,
  outputsDir,
  env: {},
  signal: new AbortController().signal,
  retryDelayMs: 20,
  jobs: 2,
  emit: (event) => void process.stdout.write(`${JSON.stringify(event)}\n`),
  executor: createLocalExecutor({ workerEntry, env: { PATH: process.env['PATH'] }, cpus: 2, gpus: [] }),
});
process.exitCode = result.state === 'ok' ? 0 : 1;
