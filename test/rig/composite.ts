import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCatalogue } from '../../src/catalogue/catalogue.ts';
import { createLocalExecutor } from '../../src/executors/local.ts';
import { loadPipeline } from '../../src/pipeline/load-pipeline.ts';
import type { Artifact } from '../../src/plan/action-cache.ts';
import { runPipeline } from '../../src/runner/run-pipeline.ts';
import { createStore, type Store } from '../../src/store/store.ts';
import { root } from './project.ts';
import { artifactOf, contracts, type TestArtifact } from './run-stage.ts';

/** What a stage in a pipeline left, and the metrics of its steps by `<step>.<metric>`. */
export interface CompositeResult {
  readonly outputs: Record<string, TestArtifact>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly steps: Readonly<Record<string, Readonly<Record<string, number>>>>;
}

/**
 * Run a stage type of the project, a composite one say, on artifacts of a test: as the runner does it, with the built
 * project's worker, in a store of its own. Throws what is wrong with its config, or why it failed.
 */
export async function runInPipeline(
  type: string,
  config: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, TestArtifact | readonly TestArtifact[]>>,
): Promise<CompositeResult> {
  const folder = mkdtempSync(join(tmpdir(), 'composite-'));
  const stages: Record<string, unknown> = {};
  const references: Record<string, string[]> = {};
  for (const [port, given] of Object.entries(inputs))
    references[port] = [given].flat().map((artifact, index) => {
      const name = `${port}-${index}`;
      const use = `./${artifact.contract}.mjs`;
      writeFileSync(join(folder, use), giver(artifact));
      writeFileSync(join(folder, `${name}.json`), JSON.stringify(artifact));
      stages[name] = { uses: use, with: { artifact: `${name}.json` } };
      return name;
    });
  stages['it'] = { uses: type, with: config, inputs: references };
  const file = join(folder, 'p.yaml');
  writeFileSync(file, JSON.stringify({ name: 'p', stages }));
  writeFileSync(join(folder, 'package.json'), '{}');
  mkdirSync(join(folder, 'node_modules'));

  const store = createStore(join(folder, 'store'));
  const pipeline = await loadPipeline({
    file,
    set: [],
    catalogue: createCatalogue({ distribution: join(root, 'dist'), cache: join(folder, 'cache') }),
    contracts,
    resolveBackend: () => ({ name: 'cpu', version: '0', device: 'cpu', precisions: ['fp32'], reason: 'a test' }),
  });
  if (!pipeline.ok) throw new Error(pipeline.error.map(({ message }) => message).join('\n'));
  const result = await runPipeline(pipeline.value, {
    store,
    contracts,
    outputsDir: join(folder, 'outputs'),
    env: {},
    signal: new AbortController().signal,
    jobs: 2,
    emit: () => {},
    executor: createLocalExecutor({
      workerEntry: join(root, 'dist/src/worker/worker-main.js'),
      env: { PATH: process.env['PATH'] },
      cpus: 2,
      gpus: [],
    }),
  });
  const failure = [...result.stages.values()].find(({ diagnostic }) => diagnostic !== undefined)?.diagnostic;
  if (failure !== undefined) throw new Error(failure.message);
  const { outputs, metrics } = result.stages.get('it')!;
  const steps = [...result.stages]
    .filter(([id]) => id.startsWith('it/'))
    .map(([id, end]) => [id.slice(3), end.metrics]);
  return {
    outputs: Object.fromEntries(Object.entries(outputs).map(([port, artifact]) => [port, inStore(artifact, store)])),
    metrics,
    steps: Object.fromEntries(steps) as CompositeResult['steps'],
  };
}

/** A stage that leaves an artifact as it is: the same rows make the same bytes. */
const giver = ({ kind, contract }: TestArtifact): string => `import { cpSync, readFileSync } from 'node:fs';
import { ArrowDataset } from '${root}/dist/src/arrow/dataset.js';
import { loadContract } from '${root}/dist/src/arrow/contract.js';
export default {
  description: 'given',
  inputs: {},
  outputs: { given: { contract: '${contract}', description: 'given' } },
  config: { type: 'object', properties: { artifact: { type: 'string', 'x-source': true } } },
  async run(context) {
    const { shards, folder } = JSON.parse(readFileSync(context.sources('artifact')[0].uri, 'utf8'));
    if (${kind !== 'dataset'}) return cpSync(folder, context.outputFolder('given').path, { recursive: true });
    const out = context.writer('given');
    const contract = loadContract('${contracts}', '${contract}');
    // What the writer does not take from the rows itself.
    const written = new Set((contract.meta ?? []).filter(({ from }) => from === undefined).map(({ name }) => name));
    for (const shard of shards) {
      const dataset = new ArrowDataset(contract, [shard]);
      for await (const row of dataset.rows()) await out.add(row);
      await out.endShard(Object.fromEntries(Object.entries(shard.meta ?? {}).filter(([name]) => written.has(name))));
    }
  },
};
`;

function inStore(artifact: Artifact, store: Store): TestArtifact {
  const locations = artifact.manifest.files.map(({ digest }) => store.objectPath(digest));
  return artifactOf(artifact.manifest, store.view(artifact), [], locations);
}
