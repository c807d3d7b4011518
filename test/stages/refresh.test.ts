import { describe, expect, it } from 'vitest';
import { Failure } from '../../src/core/diagnostic.ts';
import refresh from '../../stages/refresh/index.ts';
import { datasetOf, datasetOfShellStep, document, runStage, type TestArtifact } from '../rig/run-stage.ts';

const corpus = (source: string, snapshot: string, count: number, withMeta = true): Promise<TestArtifact> =>
  (withMeta ? datasetOf : datasetOfShellStep)(
    'documents',
    Array.from({ length: count }, (_, n) =>
      document({ id: `${source}:${snapshot}:${n}`, source, snapshot, text: `${source} ${snapshot} ${n}` }),
    ),
  );

const run = async (documents: readonly TestArtifact[], config: Record<string, unknown>) =>
  runStage(refresh, { type: 'refresh', config, inputs: { documents } });
const logOf = ({ messages }: Awaited<ReturnType<typeof run>>): string[] =>
  messages.flatMap((message) => (message.type === 'log' ? [message.text] : []));

describe('refresh', () => {
  it('links the shards of the window, tells what moved and copies nothing', async () => {
    const dumps = await Promise.all([
      corpus('wikipedia', '2026-11-01', 3),
      corpus('wikipedia', '2026-09-01', 1),
      corpus('wikipedia', '2026-10-01', 2, false),
      corpus('books', '', 4, false),
    ]);
    const result = await run(dumps, { window: 2, round: 2 });
    const files = result.outputs.documents!.manifest.files;
    expect(files.map((file) => file.digest)).toEqual([0, 2, 3].map((index) => dumps[index]!.manifest.files[0]!.digest));
    expect(files[1]!.meta).toEqual({ source: 'wikipedia', snapshot: '2026-10-01' });
    expect(new Set(files.map((file) => file.path)).size).toBe(3);
    expect(result.metrics).toMatchObject({
      'shards.entered': 1,
      'shards.stayed': 2,
      'shards.evicted': 1,
      'shards.replayed': 0,
      'documents.in': 10,
      'documents.out': 9,
      'documents.out.wikipedia': 5,
      'documents.out.books': 4,
    });
    expect(logOf(result)).toEqual([
      'round 2',
      expect.stringMatching(
        /^wikipedia: 2026-10-01 to 2026-11-01 \(2 of 3 snapshots\), 5 documents, about \d{3} tokens$/,
      ),
      '  entered: 1 shard, 3 documents of 2026-11-01',
      '  stayed: 1 shard, 2 documents of 2026-10-01',
      '  evicted: 1 shard, 1 document of 2026-09-01',
      expect.stringMatching(/^books: no snapshots, always included, 4 documents, about \d{3} tokens$/),
      '  stayed: 1 shard, 4 documents of no snapshot',
    ]);
    expect(await result.outputs.documents!.rows()).toHaveLength(9);
  });

  it('takes the newest window without rounds, and repeats or leaves out by weight', async () => {
    const inputs = await Promise.all([
      corpus('wikipedia', '2026-10-01', 2),
      corpus('wikipedia', '2026-11-01', 3),
      corpus('crawl', 'CC-MAIN-2026-43', 5),
    ]);
    const { outputs, metrics } = await run(inputs, { weights: { wikipedia: 2, crawl: 0 } });
    expect((await outputs.documents!.rows()).map((row) => row.snapshot)).toEqual(
      Array.from({ length: 6 }, () => '2026-11-01'),
    );
    expect(metrics['documents.out']).toBe(6);
  });

  it('says what is wrong with weights and with nothing left', async () => {
    const inputs = [await corpus('wikipedia', '2026-10-01', 2)];
    await expect(run(inputs, { weights: { wikipedai: 2 } })).rejects.toMatchObject({
      diagnostic: { code: 'unknown-source', help: 'The input has these sources: wikipedia.' },
    });
    await expect(run(inputs, { weights: { wikipedia: 0 } })).rejects.toThrow(Failure);
    await expect(run(inputs, { window: 0 })).rejects.toThrow(/window/u);
    expect(
      refresh.check!({ window: 1, step: 2, round: 0, replay: 0, weights: {}, seed: 1, bytes_per_token: 4 }),
    ).toMatchObject([{ property: 'step' }]);
  });
});
