import { describe, expect, it } from 'vitest';
import { defineFilter, type Document } from '../../src/index.ts';
import { datasetOf, datasetOfShellStep, document, runStage, type TestArtifact } from '../rig/run-stage.ts';

const texts = (...all: string[]) => all.map((text, i) => document({ id: `t:${i}`, text }));
const documents = (...all: string[]): Promise<TestArtifact> => datasetOf('documents', texts(...all));
const textsOf = async (artifact: TestArtifact | undefined): Promise<unknown[]> =>
  (await artifact!.rows()).map((row) => row.text);
const tableOf = async (artifact: TestArtifact | undefined): Promise<Record<string, unknown>> =>
  Object.fromEntries(
    (await artifact!.rows()).map(({ name, label, value }) => [`${String(name)}/${String(label)}`, value]),
  );

describe('a filter', () => {
  const config = { type: 'object', properties: { min: { type: 'integer', default: 3 } } };
  const shout = defineFilter<{ min: number }>({
    description: 'Upper-case documents and drop short ones.',
    config,
    judge: (one, { min }) => (one.text.length < min ? 'short' : { ...one, text: one.text.toUpperCase() }),
  });

  it('keeps, changes, drops and counts', async () => {
    const { outputs, metrics, messages } = await runStage(shout, {
      inputs: { documents: await documents('ab', 'abc') },
    });
    expect(await textsOf(outputs.documents)).toEqual(['ABC']);
    expect(metrics).toEqual({ 'documents.in': 2, 'documents.out': 1, 'dropped.short': 1 });
    expect(await tableOf(outputs.metrics)).toEqual({
      'documents/in': 2,
      'documents/out': 1,
      'bytes/in': 5,
      'bytes/out': 3,
      'dropped/short': 1,
      'length/2': 1,
      'language/en': 1,
    });
    expect(messages.filter(({ type }) => type === 'progress').at(-1)).toMatchObject({
      done: 2,
      total: 2,
      unit: 'documents',
    });
    expect(Object.keys(outputs)).toEqual(['documents', 'metrics']);
  });

  it('is a stage like others: per shard, with its config, and with ports that can be described', () => {
    expect(shout).toMatchObject({ map: 'documents', config, inputs: { documents: { contract: 'documents' } } });
    const described = defineFilter({
      description: 'x',
      inputs: {
        documents: { contract: 'documents', description: 'mine', many: true },
        other: { contract: 'duplicates', description: 'other' },
      },
      outputs: { documents: 'good', rejects: 'bad', metrics: 'counts' },
      map: 'other',
      rejects: true,
      check: () => [{ property: 'a', message: 'wrong' }],
      judge: (one) => one,
    });
    expect(described.inputs['documents']).toEqual({ contract: 'documents', description: 'mine', many: true });
    expect(Object.keys(described.inputs)).toEqual(['documents', 'other']);
    expect(described.map).toBe('other');
    expect(described.outputs).toEqual({
      documents: { contract: 'documents', description: 'good' },
      rejects: { contract: 'rejects', description: 'bad', optional: true },
      metrics: { contract: 'metrics', description: 'counts', optional: true },
    });
    expect(described.check?.({})).toEqual([{ property: 'a', message: 'wrong' }]);
  });

  it('may split a document, and then the counts still add up', async () => {
    const lines = defineFilter({
      description: 'One document per line.',
      judge: (one) => one.text.split('\n').map((text, i) => ({ ...one, id: `${one.id}/${i}`, text })),
    });
    const { outputs, metrics } = await runStage(lines, { inputs: { documents: await documents('a\nb\nc', 'd') } });
    expect((await outputs.documents!.rows()).map(({ id, text }) => [id, text])).toEqual([
      ['t:0/0', 'a'],
      ['t:0/1', 'b'],
      ['t:0/2', 'c'],
      ['t:1/0', 'd'],
    ]);
    expect(metrics).toEqual({ 'documents.in': 2, 'documents.out': 4, 'split.documents': 2 });
    expect(await tableOf(outputs.metrics)).toMatchObject({
      'documents/in': 2,
      'documents/out': 4,
      'split/documents': 2,
    });
  });

  it('is set up once per action, before any document, and may decide later', async () => {
    const events: string[] = [];
    const slow = defineFilter<Record<string, unknown>, { readonly isGood: (text: string) => Promise<boolean> }>({
      description: 'x',
      reasons: ['bad', 'worse'],
      async setUp(context) {
        await Promise.resolve();
        events.push(`set up for ${context.dataset('documents').rowCount}`);
        return { isGood: async (text) => text !== 'b' };
      },
      async judge(one, _, { tools, number, count }) {
        events.push(`${number} ${one.text}`);
        count('seen', one.lang);
        count('seen', 'characters', one.text.length);
        return (await tools.isGood(one.text)) ? one : 'bad';
      },
    });
    const { outputs, metrics } = await runStage(slow, { inputs: { documents: await documents('a', 'b', 'cc') } });
    expect(events).toEqual(['set up for 3', '0 a', '1 b', '2 cc']);
    expect(metrics).toEqual({
      'documents.in': 3,
      'documents.out': 2,
      'dropped.bad': 1,
      'dropped.worse': 0,
      'seen.en': 3,
      'seen.characters': 4,
    });
    expect(await tableOf(outputs.metrics)).toMatchObject({ 'seen/en': 3, 'seen/characters': 4, 'dropped/bad': 1 });
  });

  it.each([
    ['always', true, {}, ['a']],
    ['when its config says so', 'keep_rejects', { keep_rejects: true }, ['a']],
    ['not when its config does not', 'keep_rejects', { keep_rejects: false }, []],
  ] as const)('writes rejects %s', async (_, rejects, config, expected) => {
    const filter = defineFilter<{ keep_rejects?: boolean }>({
      description: 'x',
      rejects,
      judge(one) {
        one.lang = 'xx';
        return one.text === 'a' ? 'is-a' : one;
      },
    });
    const { outputs } = await runStage(filter, { config, inputs: { documents: await documents('a', 'b') } });
    const rows = await outputs.rejects!.rows();
    expect(rows).toEqual(expected.map((text) => ({ ...texts(text)[0], lang: 'xx', reason: 'is-a' })));
    expect(outputs.rejects!.manifest.files.map(({ meta }) => meta)).toEqual(
      expected.map(() => ({ source: 'test', snapshot: '2026-11-01', documents: 1 })),
    );
    expect((await outputs.documents!.rows()).map((row) => row.lang)).toEqual(['xx']);
  });

  it('says with its config property when `rejects` stays empty', () => {
    const { outputs } = defineFilter<{ keep: boolean }>({ description: 'x', rejects: 'keep', judge: (one) => one });
    expect(outputs['rejects']?.when).toBe('config.keep');
  });

  it('stops where it is asked to', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const filter = defineFilter({
      description: 'x',
      judge(one) {
        seen.push(one.text);
        if (seen.length === 2) controller.abort();
        return one;
      },
    });
    await expect(
      runStage(filter, { inputs: { documents: await documents('a', 'b', 'c') }, signal: controller.signal }),
    ).rejects.toThrow('aborted');
    expect(seen).toEqual(['a', 'b']);
  });

  it.each([
    [undefined, 'judge() returned undefined for document "t:0"'],
    [null, 'judge() returned null for document "t:0"'],
    [true, 'judge() returned true for document "t:0"'],
    ['', 'judge() returned "" for document "t:0"'],
    [[], 'judge() returned [] for document "t:0"'],
    [{ text: 'a' }, 'column "id" takes a string, not undefined'],
  ])('that returns %j is a bug, and named', async (verdict, message) => {
    const filter = defineFilter({ description: 'x', judge: () => verdict as unknown as Document });
    await expect(runStage(filter, { inputs: { documents: await documents('a') } })).rejects.toThrow(message);
  });
});

describe('a filter that knows beforehand whether it drops anything', () => {
  const asked: number[] = [];
  const drop = defineFilter<Record<string, unknown>, ReadonlyMap<number, string>>({
    description: 'Drop what another stage found.',
    inputs: { duplicates: { contract: 'duplicates', description: 'rows to drop' } },
    reasons: ['duplicate'],
    async setUp(context) {
      const reasons = new Map<number, string>();
      for await (const row of context.dataset('duplicates').rows())
        for (const at of row['duplicates'] as Uint32Array) reasons.set(at, 'duplicate');
      return reasons;
    },
    keepsAll: (reasons) => reasons.size === 0,
    judge(one, _, { tools, number }) {
      asked.push(number);
      return tools.get(number) ?? one;
    },
  });
  const found = (...rows: number[]): Promise<TestArtifact> =>
    datasetOf('duplicates', [{ duplicates: Uint32Array.from(rows), near_duplicates: new Uint32Array(0) }]);
  const cases = [
    ['links what it keeps whole, and counts it', documents('a', 'b'), found(), [], { out: 2, dropped: 0 }, true],
    ['writes the rest of what it does not', documents('a', 'b'), found(1), [0, 1], { out: 1, dropped: 1 }, false],
    [
      'writes what does not say what it holds',
      datasetOfShellStep('documents', texts('a', 'b')),
      found(),
      [0, 1],
      { out: 2, dropped: 0 },
      false,
    ],
  ] as const;
  it.each(cases)('%s', async (_, input, duplicates, expected, { out, dropped }, isLinked) => {
    asked.length = 0;
    const given = await input;
    const { outputs, metrics, messages } = await runStage(drop, {
      inputs: { documents: given, duplicates: await duplicates },
    });
    expect(asked).toEqual(expected);
    expect([metrics['documents.out'], metrics['dropped.duplicate']]).toEqual([out, dropped]);
    const { files } = outputs.documents!.manifest;
    expect(files).toHaveLength(1);
    for (const [index, { meta, digest }] of files.entries()) {
      expect(meta).toEqual({ source: 'test', snapshot: '2026-11-01', documents: out });
      if (isLinked) expect(digest).toBe(given.shards[index]!.digest);
    }
    expect(messages.some(({ type }) => type === 'progress')).toBe(true);
    expect((await tableOf(outputs.metrics))['documents/out']).toBe(out);
  });
});
