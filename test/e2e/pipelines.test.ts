import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { loadMaskPlan } from '../../src/masking/mask-plan.ts';
import { maskSequence } from '../../src/masking/masking.ts';
import { manifestOf, rowsOf } from '../rig/artifact.ts';
import { planIn } from '../rig/masked.ts';
import { type CliResult, eventsOf, metricsOf, Project, statesOf } from '../rig/project.ts';

const root = new URL('../../', import.meta.url).pathname;

/** A project with one of the pipelines, the samples, and nothing cached. */
function projectWith(pipeline: string): Project {
  const project = new Project({ [`pipelines/${pipeline}`]: readFileSync(join(root, 'pipelines', pipeline), 'utf8') });
  for (const folder of ['samples', 'schemas']) symlinkSync(join(root, folder), project.path(folder));
  return project;
}

async function run(project: Project, ...args: string[]): Promise<CliResult> {
  const result = await project.run(...args, '--json');
  expect(result.code, result.stdout.slice(-3000) + result.stderr).toBe(0);
  return result;
}

describe('continual.yaml', () => {
  const project = projectWith('continual.yaml');
  const steps = ['--set', 'vars.steps=8'];
  const artifact = (reference: string): string => project.path('outputs/continual', reference);
  let result: CliResult;
  beforeAll(async () => {
    result = await run(project, 'continual.yaml', ...steps);
  });

  it('moves the window by a snapshot a round, shard by shard', () => {
    const shardOf = Object.fromEntries(
      ['clean-wikipedia', 'clean-crawl'].flatMap((stage) =>
        manifestOf(artifact(stage)).files.map(({ meta, digest }) => [meta!['snapshot'], digest]),
      ),
    );
    const [october, november, december] = ['2026-10-01', '2026-11-01', '2026-12-01'].map(
      (snapshot) => shardOf[snapshot],
    );
    const [crawl38, crawl43] = ['CC-MAIN-2026-38', 'CC-MAIN-2026-43'].map((snapshot) => shardOf[snapshot]);
    const windows = [1, 2, 3].map((round) => manifestOf(artifact(`window@${round}`)).files.map((file) => file.digest));
    expect(windows[0]).toEqual([october, crawl38]);
    expect(windows[1]).toEqual(expect.arrayContaining([november, crawl43]));
    expect(windows[2]).toEqual(expect.arrayContaining([december, crawl43]));
    const metrics = metricsOf(result);
    expect([1, 2, 3].map((round) => metrics[`window@${round}`])).toMatchObject([
      { 'shards.entered': 2, 'shards.stayed': 0, 'shards.waiting': 3 },
      { 'shards.entered': 2, 'shards.stayed': 0, 'shards.waiting': 1 },
      { 'shards.entered': 1, 'shards.stayed': 1, 'shards.waiting': 0 },
    ]);
    // What is evicted may stay in part, by replay, and is never what has yet to come.
    expect(windows[1]).not.toContain(december);
    for (const round of [2, 3]) {
      const counts = metrics[`window@${round}`]!;
      expect(counts['shards.evicted']! + counts['shards.replayed']!).toBe(
        5 - counts['shards.entered']! - counts['shards.stayed']! - counts['shards.waiting']!,
      );
      expect(windows[round - 1]).toHaveLength(
        counts['shards.entered']! + counts['shards.stayed']! + counts['shards.replayed']!,
      );
    }
  });

  it('every document of a round is kept or counted as a copy, and masked at the set rate', () => {
    const metrics = metricsOf(result);
    for (const round of [1, 2, 3]) {
      const {
        [`window@${round}`]: window,
        [`documents@${round}`]: documents,
        [`tokens@${round}`]: tokens,
        [`masked@${round}`]: masked,
      } = metrics;
      expect(documents!['documents.in']).toBe(window!['documents.out']);
      expect(documents!['documents.out']! + documents!['dropped.duplicate']!).toBe(documents!['documents.in']);
      expect(tokens!['documents.in']).toBe(documents!['documents.out']);
      expect(masked!['masked_share']).toBeCloseTo(0.15, 2);
    }
  });

  it('carries the model on from round to round', () => {
    const metrics = metricsOf(result);
    const firstLosses = [1, 2, 3].map((round) => metrics[`pretrain@${round}`]!['loss_first']!);
    expect(firstLosses[0]).toBeCloseTo(Math.log(2048), 0); // knows nothing
    expect(firstLosses[1]).toBeLessThan(firstLosses[0]! - 0.5);
    expect(firstLosses[2]).toBeLessThan(firstLosses[0]! - 0.5);
    const continued = eventsOf(result)
      .filter((event) => event.type === 'log' && event.text?.includes('continuing from the weights'))
      .map((event) => event.stage);
    expect(continued).toEqual(['pretrain@2', 'pretrain@3']);
    expect(eventsOf(result).find((event) => event.type === 'loop-end')).toMatchObject({ round: 3, reason: 'max' });
  });

  it('ends as soon as `until` holds, and from the cache', async () => {
    const shorter = await run(
      project,
      'continual.yaml',
      ...steps,
      '--set',
      'rounds.until=evaluate.perplexity < 1000000',
    );
    expect(eventsOf(shorter).find((event) => event.type === 'loop-end')).toMatchObject({ round: 1, reason: 'until' });
    const states = Object.entries(statesOf(shorter));
    for (const round of ['@1', '@2', '@3'])
      expect(states.filter(([stage]) => stage.endsWith(round)).length, round).toBeGreaterThan(5);
    expect(states.filter(([stage, state]) => stage.endsWith('@1') && state !== 'cached')).toEqual([]);
    expect(states.filter(([stage, state]) => /@[23]$/.test(stage) && state !== 'skipped')).toEqual([]);
  });
});

describe('chinese.yaml', () => {
  const project = projectWith('chinese.yaml');
  const artifact = (reference: string): string => project.path('outputs/chinese', reference);
  let result: CliResult;
  beforeAll(async () => {
    result = await run(project, 'chinese.yaml', '--set', 'vars.steps=4', '--set', 'stages.sentiment.with.epochs=1');
  });

  it('runs to a model that is exported', () => {
    expect(new Set(Object.values(statesOf(result)))).toEqual(new Set(['ran']));
    expect(metricsOf(result)['sentiment']).toMatchObject({ majority: 0.5 });
    expect(manifestOf(artifact('export')).files.map((file) => file.path)).toEqual(
      expect.arrayContaining(['config.json', 'model.safetensors', 'tokenizer.json']),
    );
  });

  it('masks 天安门 as a whole, or not at all', async () => {
    const tokenizer = new Tokenizer(loadTokenizer(artifact('tokenizer')));
    const plan = loadMaskPlan(planIn(artifact('masked')));
    expect(plan.whole_word).toBe(true);
    const rows = [...(await rowsOf(artifact('tokens.sequences'))), ...(await rowsOf(artifact('tokens.held_out')))];
    let found = 0;
    let masked = 0;
    rows.forEach((row, index) => {
      const [ids, starts] = [row.input_ids as Uint32Array, row.word_starts as Uint16Array];
      starts.forEach((start, i) => {
        const next = starts[i + 1] ?? ids.length;
        const special = ids.subarray(start, next).findIndex((id) => plan.isSpecial[id] === 1);
        const end = special < 0 ? next : start + special;
        if (tokenizer.decode(ids.subarray(start, end)) !== '天安门') return;
        found++;
        for (let epoch = 0; epoch < 40; epoch++) {
          const inside = [...maskSequence(plan, ids, starts, epoch, index).positions].filter(
            (position) => position >= start && position < end,
          );
          expect([0, end - start]).toContain(inside.length);
          if (inside.length > 0) masked++;
        }
      });
    });
    expect(found).toBeGreaterThan(3);
    expect(masked / (found * 40)).toBeGreaterThan(0.05);
    expect(masked / (found * 40)).toBeLessThan(0.3);
  });
});

describe('roberta-base.yaml', () => {
  it("validates, and plans the paper's recipe without touching the network", async () => {
    const project = projectWith('roberta-base.yaml');
    expect(await project.run('validate', 'roberta-base.yaml')).toMatchObject({ code: 0 });
    const plan = await project.run('plan', 'roberta-base.yaml');
    expect(plan.code, plan.stderr).toBe(0);
    for (const stage of [
      'wikipedia',
      'books',
      'news',
      'crawl',
      'window',
      'tokenizer',
      'masked',
      'pretrain',
      'evaluate',
      'export',
    ])
      expect(plan.stdout).toMatch(new RegExp(`^\\S* ?${stage}\\b`, 'm'));
    expect(plan.stdout.match(/sst2\[/g)).toHaveLength(6);
  });
});
