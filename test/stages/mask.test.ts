import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { describe, expect, it } from 'vitest';
import { check } from '../../stages/mask/check.ts';
import type { Row } from '../../src/core/data.ts';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { loadMaskPlan } from '../../src/masking/mask-plan.ts';
import { maskSequence } from '../../src/masking/masking.ts';
import { runInPipeline } from '../rig/composite.ts';
import { planIn } from '../rig/masked.ts';
import { datasetOf, folderOf, type TestArtifact } from '../rig/run-stage.ts';

const tokenizer = (): TestArtifact => {
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  writeTokenizer(
    folder,
    trainBpe(
      new Map([
        ['hello', 9],
        ['world', 5],
      ]),
      { vocabSize: 300, minFrequency: 1 },
    ),
  );
  return folderOf('tokenizer', folder);
};
const sequences = (count: number, length = 42): Promise<TestArtifact> =>
  datasetOf(
    'sequences',
    Array.from({ length: count }, (_, row): Row => ({
      input_ids: Uint32Array.from({ length }, (_v, i) =>
        i === 0 ? 0 : i === length - 1 ? 2 : 4 + ((row * 31 + i * i) % 200),
      ),
      word_starts: Uint16Array.from({ length: Math.floor((length - 1) / 2) }, (_v, i) => 1 + i * 2),
      doc_ids: Uint32Array.of(row),
    })),
  );
const mask = async (config: Record<string, unknown>, input?: TestArtifact) =>
  runInPipeline('mask', config, { sequences: input ?? (await sequences(50)), tokenizer: tokenizer() });

/** Without the plan beside them. */
const shardsOf = ({ manifest }: TestArtifact) => manifest.files.filter(({ rows }) => rows !== undefined);

describe('mask', () => {
  it('static: writes every sequence once per copy, each masked otherwise', async () => {
    const input = await sequences(50);
    const { outputs, metrics } = await mask({ mode: 'static', copies: 3 }, input);
    const rows = await outputs.masked!.rows();
    const originals = await input.rows();
    expect(rows).toHaveLength(150);
    expect(shardsOf(outputs.masked!).map((file) => file.meta)).toEqual([{ copy: 0 }, { copy: 1 }, { copy: 2 }]);
    expect(metrics.masked_share).toBeCloseTo(0.15, 1);
    rows.forEach((row, i) => {
      const restored = Uint32Array.from(row.input_ids as Uint32Array);
      (row.positions as Uint16Array).forEach((position, k) => (restored[position] = (row.labels as Uint32Array)[k]!));
      expect(restored).toEqual(originals[i % 50]!.input_ids);
    });
    expect(rows[0]!.positions).not.toEqual(rows[50]!.positions);
  });

  it('static copies are what the plan gives for their epoch', async () => {
    const input = await sequences(5);
    const { outputs } = await mask({ mode: 'static', copies: 2, whole_word: true }, input);
    const plan = loadMaskPlan(planIn(outputs.masked!.folder));
    const original = (await input.rows())[3]!;
    const shard = parseInt(input.manifest.files[0]!.digest.slice(0, 12), 16) + 1e9;
    const { input_ids, positions, labels } = maskSequence(
      plan,
      original.input_ids as Uint32Array,
      original.word_starts as Uint16Array,
      1,
      shard + 3,
    );
    expect((await outputs.masked!.rows())[8]).toEqual({
      input_ids,
      word_starts: original.word_starts,
      positions,
      labels,
    });
  });

  it.each([
    ['dynamic', {}],
    ['importance', {}],
    ['dynamic', { whole_word: true }],
    ['dynamic', { whole_word: true, max_span_length: 10 }],
    ['importance', { mlm_probability: 0.3, mlm_probability_end: 0.1, favour: 'important' }],
  ])(
    '%s %o: links the shards, copies nothing, and masks the set share',
    async (mode, config: Record<string, unknown>) => {
      const input = await sequences(400);
      const { outputs, metrics } = await mask({ mode, ...config }, input);
      expect(shardsOf(outputs.masked!)).toEqual(input.manifest.files);
      expect(metrics.masked_share).toBeCloseTo((config['mlm_probability'] as number | undefined) ?? 0.15, 2);
    },
  );

  it.each(['surprisal', 'tf-idf', 'pmi'])(
    'importance by %s: the plan masks the set share of the corpus',
    async (importance) => {
      const input = await sequences(200);
      const { outputs } = await mask({ mode: 'importance', importance, mlm_probability: 0.2 }, input);
      const plan = loadMaskPlan(planIn(outputs.masked!.folder));
      expect(plan.probability).toHaveLength(plan.vocab_size);
      let masked = 0;
      let expected = 0;
      (await input.rows()).forEach(({ input_ids }, index) => {
        masked += maskSequence(plan, input_ids as Uint32Array, [], 0, index).positions.length;
        for (const id of input_ids as Uint32Array) expected += plan.probability![id]!;
      });
      expect(masked / (200 * 40)).toBeCloseTo(0.2, 2);
      expect(expected / (200 * 40)).toBeCloseTo(0.2, 4);
    },
  );

  it('pmi: tokens of every shard are weighed, however many shards there are', async () => {
    const shards = await Promise.all(
      Array.from({ length: 20 }, (_, shard) =>
        datasetOf('sequences', [
          {
            input_ids: Uint32Array.of(0, 10 + shard, 50, 10 + shard, 2),
            word_starts: Uint16Array.of(1),
            doc_ids: Uint32Array.of(0),
          },
        ]),
      ),
    );
    const input = { ...shards[0]!, shards: shards.flatMap((one) => one.shards) };
    const { outputs } = await mask({ mode: 'importance', importance: 'pmi' }, input);
    const column = tableFromIPC(readFileSync(join(outputs.masked!.folder, '_plan/tokens.arrow'))).getChild(
      'importance',
    )!;
    for (let shard = 0; shard < 20; shard++)
      expect([shard, Number(column.get(10 + shard)) === 0]).toEqual([shard, false]);
  });

  it('static: a shard is masked the same whatever is before it, and otherwise each time that it is there', async () => {
    const [first, second] = [await sequences(7), await sequences(5)];
    const shard = (artifact: TestArtifact) => artifact.shards[0]!;
    const positions = async (shards: TestArtifact['shards'], rows: number) =>
      (await (await mask({ mode: 'static', copies: 1 }, { ...first, shards })).outputs.masked!.rows())
        .slice(-rows)
        .map((row) => row.positions);
    const alone = await positions([shard(second)], 5);
    expect(await positions([shard(first), shard(second)], 5)).toEqual(alone);
    expect(await positions([shard(second), shard(second)], 5)).not.toEqual(alone);
  });

  it('gives the same plan and copies twice', async () => {
    const digests = async () =>
      Object.values((await mask({ mode: 'static', copies: 1, importance: 'pmi' })).outputs).flatMap((output) =>
        output.manifest.files.map((file) => file.digest),
      );
    expect(await digests()).toEqual(await digests());
  });

  it('refuses sequences of another tokenizer', async () => {
    const input = await datasetOf('sequences', [
      { input_ids: Uint32Array.of(0, 5000, 2), word_starts: Uint16Array.of(1), doc_ids: Uint32Array.of(0) },
    ]);
    await expect(mask({}, input)).rejects.toThrow('token id 5000');
  });

  it('refuses shares that add up to more than 1', () => {
    expect(check({ mask_replace_prob: 0.8, random_replace_prob: 0.3 })[0]?.property).toBe('random_replace_prob');
  });
});
