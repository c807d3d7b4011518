import { appendFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { defineStage, type StageContext, type StageType } from '../../src/core/stage.ts';
import { datasetOf, document, runStage } from './run-stage.ts';

const port = (contract: string, more = {}) => ({ contract, description: '', ...more });

/** A stage that reads documents and leaves documents and files. */
const stageThat = (run: (context: StageContext) => Promise<void>, more: Partial<StageType> = {}): StageType =>
  defineStage({
    description: '',
    inputs: { documents: port('documents') },
    outputs: { documents: port('documents'), tokenizer: port('tokenizer', { optional: true }) },
    run,
    ...more,
  });

const copy = async (context: StageContext): Promise<void> => {
  const out = context.writer('documents');
  for await (const row of context.dataset('documents').rows()) await out.add(row);
  context.count('read', context.dataset('documents').rowCount);
  context.metric('shards', context.dataset('documents').shards.length);
};
const two = () => datasetOf('documents', [document({ id: 'a' }), document({ id: 'b' })]);

test('outputs are sealed, and read as what they are', async () => {
  const { outputs, metrics, messages } = await runStage(stageThat(copy), { inputs: { documents: await two() } });
  expect((await outputs['documents']!.rows()).map(({ id }) => id)).toEqual(['a', 'b']);
  expect(outputs['documents']!.manifest.files).toEqual([
    {
      path: expect.any(String) as string,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      bytes: expect.any(Number) as number,
      rows: 2,
      meta: { source: 'test', snapshot: '2026-11-01', documents: 2 },
    },
  ]);
  expect(outputs['tokenizer']!.manifest.files).toEqual([]);
  expect(metrics).toEqual({ read: 2, shards: 1 });
  expect(messages).toEqual([{ type: 'metric', name: 'shards', value: 1 }]);
});

test('a map stage has an action per shard or file, and what they leave is joined', async () => {
  const mapped = await runStage(
    stageThat(copy, { map: 'documents', inputs: { documents: port('documents', { many: true }) } }),
    { inputs: { documents: [await two(), await datasetOf('documents', [document({ id: 'c' })])] } },
  );
  expect((await mapped.outputs['documents']!.rows()).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  expect(mapped.metrics).toEqual({ read: 3, shards: 1 });
  const files = await runStage(
    stageThat(
      async (context) => {
        for (const { name } of context.sources('path'))
          await context.writer('documents').add(document({ id: `${name} of ${context.sources('path').length}` }));
      },
      { inputs: {}, map: 'path' },
    ),
    { sources: { path: ['/x/1.txt', '/x/2.txt'] } },
  );
  expect((await files.outputs['documents']!.rows()).map(({ id }) => id)).toEqual(['1.txt of 1', '2.txt of 1']);
});

test.each<{ name: string; stage: StageType; message: string }>([
  { name: 'an output without a row', stage: stageThat(async () => {}), message: 'output "documents" is empty' },
  {
    name: 'a folder without the files of its contract',
    stage: stageThat(async (context) => {
      await copy(context);
      writeFileSync(join(context.outputFolder('tokenizer').path, 'vocab.json'), '{}');
    }),
    message: 'lacks tokenizer.json, merges.txt',
  },
  {
    name: 'a folder with a link',
    stage: stageThat(async (context) => {
      await copy(context);
      for (const name of ['vocab.json', 'merges.txt', 'tokenizer.json'])
        symlinkSync('/dev/null', join(context.outputFolder('tokenizer').path, name));
    }),
    message: 'which is a link',
  },
])('$name is not kept', async ({ stage, message }) => {
  await expect(runStage(stage, { inputs: { documents: await two() } })).rejects.toThrow(message);
});

test.each<{ name: string; run: () => Promise<unknown>; message: string }>([
  {
    name: 'a shard that was written to after it was sealed',
    run: async () => {
      const documents = await two();
      appendFileSync(documents.shards[0]!.location, 'x');
      return runStage(
        stageThat(async (context) => context.writer('documents').link(context.dataset('documents').shards[0]!)),
        { inputs: { documents } },
      );
    },
    message: 'is not the file that its manifest describes',
  },
  {
    name: 'an input of another contract',
    run: async () =>
      runStage(stageThat(copy, { inputs: { documents: port('rejects') } }), { inputs: { documents: await two() } }),
    message: 'takes rejects, not documents',
  },
  {
    name: 'two artifacts where one is expected',
    run: async () => runStage(stageThat(copy), { inputs: { documents: [await two(), await two()] } }),
    message: 'takes one artifact, not 2',
  },
  {
    name: 'an input that the stage does not have',
    run: async () => runStage(stageThat(copy, { inputs: {} }), { inputs: { documents: await two() } }),
    message: 'has no input "documents"',
  },
  {
    name: 'a config that the schema refuses',
    run: async () =>
      runStage(stageThat(copy, { config: { type: 'object', properties: { n: { type: 'integer' } } } }), {
        config: { n: 'x' },
        inputs: { documents: await two() },
      }),
    message: 'must be integer',
  },
  {
    name: 'a config that `check` refuses',
    run: async () =>
      runStage(stageThat(copy, { check: () => [{ property: 'n', message: 'too odd' }] }), {
        inputs: { documents: await two() },
      }),
    message: 'n: too odd',
  },
])('$name is refused', async ({ run, message }) => {
  await expect(run()).rejects.toThrow(message);
});
