import {
  chmodSync,
  existsSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test, vi } from 'vitest';
import { planPipeline } from '../../src/runner/plan-pipeline.ts';
import type { RunOptions } from '../../src/runner/run-pipeline.ts';
import { startTime } from '../../src/store/owner.ts';
import { Bench, buildPrograms, contracts, digests, from, states } from './runner-rig.ts';

const outputs = (...stages: string[]) => stages.map((stage) => ({ stage, port: 'documents' }));

let programs: { worker: string; runner: string };
beforeAll(async () => {
  programs = await buildPrograms();
});

const read = `const out = context.writer('documents'); let n = 0;
  for (const source of context.sources('path')) for (const line of readFileSync(source.uri, 'utf8').trim().split('\\n')) { await out.add(row(String(n++), line)); }`;
const upper = `const out = context.writer('documents');
  for await (const r of context.dataset('documents').rows()) await out.add({ ...r, text: r.text.toUpperCase() });`;
const count = `let n = 0; for await (const r of context.dataset('documents').rows()) n += r.text.length; context.metric('characters', n);
  await context.writer('documents').add(row('n', String(n)));`;

function chain(bench: Bench): void {
  bench.write('in.txt', 'one\ntwo\n');
  bench.stage('read', read, { sources: { path: [bench.path('in.txt')] }, config: { path: 'in.txt' } });
  bench.stage('upper', upper, { inputs: { documents: from('read') } });
  bench.stage('count', count, { inputs: { documents: from('upper') } });
}

const freshness = (bench: Bench) =>
  Object.fromEntries(
    [...planPipeline(bench.pipeline(), { store: bench.store, contracts, env: {} })].map(([id, { kind }]) => [id, kind]),
  );

test('a stage that requests more than the machine has is reported, and runs', async () => {
  const bench = new Bench(programs.worker);
  bench.stage('large', count.replace("context.dataset('documents').rows()", '[]'), {
    resources: { cpus: 64, memory: 2 ** 60, gpus: 8 },
  });
  bench.stage('every-core', count.replace("context.dataset('documents').rows()", '[]'), {
    resources: { cpus: Infinity, memory: 0, gpus: 0 },
  });
  expect(states(await bench.run())).toEqual({ large: 'ran', 'every-core': 'ran' });
  const warnings = bench.events.flatMap((event) => (event.type === 'warning' ? [event.diagnostic] : []));
  expect(warnings).toEqual([
    expect.objectContaining({
      code: 'resources-cut',
      stage: 'large',
      message: expect.stringMatching(
        /^large requests more than this machine has \(cpus: 64 of 2, gpus: 8 of 0, memory: 1073741824 of [\d.]+ GiB\); using what is available$/,
      ) as string,
    }),
  ]);
});

test('a checkpoint of an action that is done goes with the next run, one of an action that is not stays', async () => {
  const bench = new Bench(programs.worker);
  chain(bench);
  await bench.run();
  const done = bench.events.flatMap((event) => (event.type === 'action-start' ? [event.key] : []))[0]!;
  const [leftover, needed] = [done, 'f'.repeat(64)].map((key) =>
    bench.write(`store/checkpoints/${key}/step-1/state`, 'x'),
  );
  expect(bench.store.checkpoint(done)).toBe(join(leftover!, '../..'));
  await bench.run();
  expect([existsSync(join(leftover!, '../..')), existsSync(needed!)]).toEqual([false, true]);
});

describe('reuse', () => {
  test('a second run reuses all; an equal input counts as the same; early cut-off on equal output', async () => {
    const bench = new Bench(programs.worker);
    chain(bench);
    expect(freshness(bench)).toEqual({ read: 'miss', upper: 'pending', count: 'pending' });
    const first = await bench.run();
    expect(states(first)).toEqual({ read: 'ran', upper: 'ran', count: 'ran' });
    expect(first.stages.get('count')?.metrics).toEqual({ characters: 6 });
    expect(readlinkSync(bench.path('outputs/p/count'))).toContain('artifacts');
    expect(existsSync(bench.path('outputs/p/count/manifest.json'))).toBe(true);
    expect(freshness(bench)).toEqual({ read: 'hit', upper: 'hit', count: 'hit' });

    const second = await bench.run();
    expect(states(second)).toEqual({ read: 'cached', upper: 'cached', count: 'cached' });
    expect(digests(second)).toEqual(digests(first));

    bench.write('in.txt', 'one\ntwo\n');
    expect(states(await bench.run())).toEqual({ read: 'cached', upper: 'cached', count: 'cached' });

    bench.write('in.txt', 'ONE\ntwo\n');
    expect(states(await bench.run())).toEqual({ read: 'ran', upper: 'ran', count: 'cached' });
    expect(bench.events.find((event) => event.type === 'stage-planned' && event.stage === 'read')).toMatchObject({
      freshness: { kind: 'miss', changed: [{ ingredient: 'sources.path[in.txt]' }] },
    });
  });

  test.each([
    [
      'config',
      (bench: Bench) => bench.stage('upper', upper, { inputs: { documents: from('read') }, config: { rate: 2 } }),
      'config.rate',
      ['cached', 'ran', 'cached'],
    ],
    [
      'code',
      (bench: Bench) => bench.stage('upper', `${upper} /* changed */`, { inputs: { documents: from('read') } }),
      'implementation',
      ['cached', 'ran', 'cached'],
    ],
    [
      'a folder whose name has signs of a glob',
      (bench: Bench) =>
        bench.stage('read', read, {
          sources: { path: [join(bench.write('project (1)/[x]/in.txt', 'one\ntwo\n'), '../*.txt')] },
          config: { path: '*.txt' },
        }),
      '',
      ['cached', 'cached', 'cached'],
    ],
    [
      'the place of a stage of the user',
      (bench: Bench) => {
        bench.stages[1] = { ...bench.stages[1]!, type: { ...bench.stages[1]!.type, type: '/elsewhere/upper' } };
      },
      '',
      ['cached', 'cached', 'cached'],
    ],
    [
      'a moved file',
      (bench: Bench) =>
        bench.stage('read', read, {
          sources: { path: [bench.write('elsewhere/in.txt', 'one\ntwo\n')] },
          config: { path: 'elsewhere/in.txt' },
        }),
      '',
      ['cached', 'cached', 'cached'],
    ],
  ])('what runs after a change of %s', async (_, change, ingredient, expected) => {
    const bench = new Bench(programs.worker);
    chain(bench);
    await bench.run();
    change(bench);
    expect(Object.values(states(await bench.run()))).toEqual(expected);
    const planned = bench.events.flatMap((event) =>
      event.type === 'stage-planned' && event.freshness.kind === 'miss'
        ? event.freshness.changed.map((item) => item.ingredient)
        : [],
    );
    expect(planned).toEqual(ingredient === '' ? [] : [ingredient]);
  });

  test("a stage runs again when its backend's bridge was compiled from other sources, not when it moved", async () => {
    const bench = new Bench(programs.worker);
    const run = async (bridge: string, sources: string) => {
      bench.stage('train', `await context.writer('documents').add(row('1', 'x'));`, {
        backend: {
          name: 'torch',
          version: '2.13.0',
          device: 'cpu',
          precisions: ['fp32', 'bf16'],
          native: { bridge, sources },
          reason: '',
        },
      });
      return states(await bench.run())['train'];
    };
    expect([await run('/a.node', 'one'), await run('/b.node', 'one'), await run('/b.node', 'two')]).toEqual([
      'ran',
      'cached',
      'ran',
    ]);
  });

  test('a map stage runs only for new files, and its readers only for new shards', async () => {
    const bench = new Bench(programs.worker);
    const note = `appendFileSync(${JSON.stringify(bench.path('log'))}, context.stage + '\\n');`;
    bench.write('in/a.txt', 'a\n');
    bench.write('in/b.txt', 'b\n');
    bench.stage('read', note + read, { sources: { path: [bench.path('in/*.txt')] }, map: 'path' });
    bench.stage('upper', note + upper, { inputs: { documents: from('read') }, map: 'documents' });
    await bench.run();
    bench.write('in/0.txt', 'zero\n');
    const result = await bench.run();
    expect(states(result)).toEqual({ read: 'ran', upper: 'ran' });
    expect(bench.lines('log').sort()).toEqual(['read', 'read', 'read', 'upper', 'upper', 'upper']);
    expect(result.stages.get('upper')?.outputs['documents']?.manifest.files.map(({ rows }) => rows)).toEqual([1, 1, 1]);
  });
});

describe('failures', () => {
  test('a retry mends a stage that fails once', async () => {
    const bench = new Bench(programs.worker);
    const flag = JSON.stringify(bench.path('flag'));
    bench.stage(
      'flaky',
      `if (!existsSync(${flag})) { writeFileSync(${flag}, ''); throw new Error('no luck'); } await ` +
        `context.writer('documents').add(row('1', 'x'));`,
      { retries: 1 },
    );
    expect(states(await bench.run())).toEqual({ flaky: 'ran' });
    expect(bench.events.filter(({ type }) => type === 'action-end')).toMatchObject([
      { ok: false, willRetryInMs: 20 },
      { ok: true },
    ]);
  });

  test('a stage that blocks past its timeout is ended', async () => {
    const bench = new Bench(programs.worker);
    bench.stage('slow', 'for (;;);', { timeoutMs: 700 });
    bench.stage('after', upper, { inputs: { documents: from('slow') } });
    const result = await bench.run();
    expect(states(result)).toEqual({ slow: 'failed', after: 'skipped' });
    expect(result.stages.get('slow')?.diagnostic?.code).toBe('stage-timeout');
    expect(readdirSync(bench.store.layout.attempts)).toEqual([]);
  });

  test('keep-going runs what does not depend on the failure; without it nothing more begins', async () => {
    const bench = new Bench(programs.worker);
    const waitFor = (name: string) => `while (!existsSync(${JSON.stringify(bench.path(name))})) await sleep(10);`;
    bench.stage('bad', `${waitFor('begun')} throw new Error('no')`);
    bench.stage('after', upper, { inputs: { documents: from('bad') } });
    bench.stage(
      'first',
      `writeFileSync(${JSON.stringify(bench.path('begun'))}, ''); ${waitFor('ended')} await ` +
        `context.writer('documents').add(row('1', 'x'));`,
    );
    bench.stage('other', upper, { inputs: { documents: from('first') } });
    const emit: RunOptions['emit'] = (event) =>
      void (event.type === 'stage-end' && event.stage === 'bad' && bench.write('ended', ''));
    expect(states(await bench.run({ emit }))).toEqual({
      bad: 'failed',
      after: 'skipped',
      first: 'ran',
      other: 'skipped',
    });
    expect(states(await bench.run({ keepGoing: true }))).toEqual({
      bad: 'failed',
      after: 'skipped',
      first: 'cached',
      other: 'ran',
    });
  });

  test('after a bug nothing more begins, tries left or not', async () => {
    const bench = new Bench(programs.worker);
    const [log, begun] = [bench.path('log'), bench.path('begun')].map((path) => JSON.stringify(path));
    bench.stage(
      'bad',
      `while (!existsSync(${begun})) await sleep(10); await context.writer('documents').add(row('1', 'x'));`,
    );
    bench.stage(
      'slow',
      `writeFileSync(${begun}, ''); appendFileSync(${log}, 'x\\n'); await sleep(3000); await ` +
        `context.writer('documents').add(row('1', 'x'));`,
      { retries: 2 },
    );
    const emit: RunOptions['emit'] = (event) => {
      if (event.type === 'stage-end' && event.stage === 'bad') throw new TypeError('a bug');
    };
    await expect(bench.run({ emit, keepGoing: true })).rejects.toThrow('a bug');
    expect(bench.lines('log')).toEqual(['x']);
  });

  test('a worker killed by the system is a failure that says so', async () => {
    const bench = new Bench(programs.worker);
    bench.stage('killed', `process.kill(process.pid, 'SIGKILL'); await sleep(5000);`);
    expect((await bench.run()).stages.get('killed')?.diagnostic).toMatchObject({
      code: 'worker-died',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  test('an input edited while the stage runs is not cached', async () => {
    const bench = new Bench(programs.worker);
    const input = bench.write('in.txt', 'one\n');
    bench.stage(
      'read',
      `${read} if (readFileSync(context.sources('path')[0].uri, 'utf8') === 'one\\n') ` +
        `writeFileSync(context.sources('path')[0].uri, 'two\\n');`,
      { sources: { path: [input] } },
    );
    expect((await bench.run()).stages.get('read')?.diagnostic?.code).toBe('source-changed');
    expect(states(await bench.run())).toEqual({ read: 'ran' });
  });

  test('a missing source names the stage and the pattern', async () => {
    const bench = new Bench(programs.worker);
    bench.stage('read', read, { sources: { path: [bench.path('none/*.txt')] } });
    expect((await bench.run()).stages.get('read')?.diagnostic).toMatchObject({
      code: 'source-not-found',
      message: expect.stringContaining('none/*.txt'),
    });
  });

  test('an interrupt ends the run, keeping what finished', async () => {
    const bench = new Bench(programs.worker);
    chain(bench);
    bench.stage('count', `await sleep(20_000, undefined, { signal: context.signal });`, {
      inputs: { documents: from('upper') },
    });
    const abort = new AbortController();
    const result = await bench.run({
      signal: abort.signal,
      emit: (event) =>
        void (event.type === 'action-start' && event.stage === 'count' && setTimeout(() => abort.abort(), 100)),
    });
    expect(result.state).toBe('interrupted');
    expect(states(result)).toEqual({ read: 'ran', upper: 'ran', count: 'interrupted' });
    chain(bench);
    expect(states(await bench.run())).toEqual({ read: 'cached', upper: 'cached', count: 'ran' });
  });
});

describe('a damaged store', () => {
  const damage: readonly (readonly [string, (bench: Bench) => void])[] = [
    ['objects gone', (bench) => bench.objects().forEach((path) => unlinkSync(path))],
    [
      'objects cut short',
      (bench) =>
        bench.objects().forEach((path) => {
          chmodSync(path, 0o644);
          truncateSync(path, 100);
        }),
    ],
    ['records torn', (bench) => recordsOf(bench).forEach((path) => truncateSync(path, 200))],
    ['records empty', (bench) => recordsOf(bench).forEach((path) => truncateSync(path, 0))],
    [
      'records altered',
      (bench) =>
        recordsOf(bench).forEach((path) =>
          writeFileSync(path, readFileSync(path, 'utf8').replace('"rows":2', '"rows":3')),
        ),
    ],
  ];
  test.each(damage)('%s: rebuilt with the same digests', async (_, harm) => {
    const bench = new Bench(programs.worker);
    chain(bench);
    const first = await bench.run();
    harm(bench);
    const again = await bench.run();
    expect(again.state).toBe('ok');
    expect(states(again)['read']).toBe('ran');
    expect(digests(again)).toEqual(digests(first));
  });

  test('a flipped bit is found before a stage reads it, its producer runs again', async () => {
    const bench = new Bench(programs.worker);
    chain(bench);
    const first = await bench.run();
    bench.objects().forEach(flipBit);
    expect(freshness(bench)).toEqual({ read: 'hit', upper: 'hit', count: 'hit' });
    bench.stage('count', `${count} /* changed */`, { inputs: { documents: from('upper') } });
    const again = await bench.run();
    expect(states(again)).toEqual({ read: 'ran', upper: 'ran', count: 'ran' });
    expect(digests(again)).toEqual(digests(first));
    expect(bench.events.filter(({ type }) => type === 'warning').length).toBe(2);
  });

  test('verify re-hashes what would be reused', async () => {
    const bench = new Bench(programs.worker);
    chain(bench);
    const first = await bench.run();
    bench.objects().forEach(flipBit);
    const again = await bench.run({ verify: true });
    expect(states(again)).toEqual({ read: 'ran', upper: 'ran', count: 'ran' });
    expect(digests(again)).toEqual(digests(first));
  });
});

const recordsOf = (bench: Bench): string[] =>
  readdirSync(bench.store.layout.actions, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${bench.store.layout.actions}/${name}`);

/** Change one byte and nothing else, times included. */
function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1]! ^= 1;
  chmodSync(path, 0o644);
  writeFileSync(path, bytes);
  utimesSync(path, 1, 1);
}

describe('rounds', () => {
  const loop = (bench: Bench, until?: string) => ({
    loop: {
      max: 3,
      ...(until === undefined ? {} : { until }),
      rounds: [['train@1'], ['train@2'], ['train@3']],
      location: { file: 'p.yaml', line: 1, column: 1, length: 1 },
    },
  });
  const rounds = (bench: Bench): void => {
    bench.stage('seed', `await context.writer('documents').add(row('1', 'x'));`);
    const train = `let n = 1; for await (const r of context.dataset('documents').rows()) n = r.text.length + 1; context.metric('length', n);
      await context.writer('documents').add(row('1', 'x'.repeat(n)));`;
    for (const round of [1, 2, 3])
      bench.stage(`train@${round}`, train, {
        inputs: { documents: from(round === 1 ? 'seed' : `train@${round - 1}`) },
        round,
        config: { round },
      });
    bench.stage('last', count, {
      inputs: { documents: [{ kind: 'last-round', rounds: outputs('train@1', 'train@2', 'train@3') }] },
    });
  };

  test.each([
    ['train.length >= 3', 2, 'until', 'skipped', 3],
    ['train.length > 90', 3, 'max', 'ran', 4],
    [undefined, 3, 'max', 'ran', 4],
    ['train.unknown > 1', 3, 'max', 'ran', 4],
  ] as const)('until %s ends after round %i', async (until, round, reason, third, length) => {
    const bench = new Bench(programs.worker);
    rounds(bench);
    const first = await bench.run({}, loop(bench, until));
    expect(states(first)).toEqual({ seed: 'ran', 'train@1': 'ran', 'train@2': 'ran', 'train@3': third, last: 'ran' });
    expect(bench.events.filter(({ type }) => type === 'loop-end')).toMatchObject([{ round, reason }]);
    expect(first.stages.get('train@2')?.metrics).toEqual({ length: 3 });
    expect(first.stages.get('last')?.metrics).toEqual({ characters: length });
    const second = await bench.run({}, loop(bench, until));
    expect(second.ran).toBe(0);
    expect(digests(second)).toEqual(digests(first));
  });
});

describe('rounds that `when` leaves stages out of', () => {
  const place = { file: 'p.yaml', line: 1, column: 1, length: 1 };
  /** Stages `a@<round>`, each writing its round; `last` reads the last of them. */
  const run = async (on: readonly number[], until?: string) => {
    const bench = new Bench(programs.worker);
    for (const round of on)
      bench.stage(
        `a@${round}`,
        `context.metric('round', ${round}); await context.writer('documents').add(row('1', 'x'.repeat(${round})));`,
        { round },
      );
    bench.stage('last', count, {
      inputs: { documents: [{ kind: 'last-round', rounds: outputs(...on.map((round) => `a@${round}`)) }] },
    });
    const result = await bench.run(
      {},
      {
        loop: {
          max: 3,
          ...(until === undefined ? {} : { until }),
          rounds: [1, 2, 3].map((round) => (on.includes(round) ? [`a@${round}`] : [])),
          location: place,
        },
      },
    );
    return {
      state: result.state,
      last: result.stages.get('last')?.metrics['characters'],
      code: result.stages.get('last')?.diagnostic?.code,
    };
  };

  test.each([
    ['only the first has it', [1], undefined, { state: 'ok', last: 1 }],
    ['the second lacks it', [1, 3], undefined, { state: 'ok', last: 3 }],
    ['the second lacks it, and until asks', [1, 3], 'a.round > 9', { state: 'ok', last: 3 }],
    ['the first lacks it, and until asks', [2, 3], 'a.round > 9', { state: 'ok', last: 3 }],
    ['the first lacks it, and until ends after the second', [2, 3], 'a.round > 1', { state: 'ok', last: 2 }],
  ] as const)('%s', async (_, on, until, expected) => {
    expect(await run(on, until)).toMatchObject(expected);
  });

  test('a stage that needs one of a round that never came fails, and says so', async () => {
    const bench = new Bench(programs.worker);
    bench.stage('a@1', `context.metric('round', 1); await context.writer('documents').add(row('1', 'x'));`, {
      round: 1,
    });
    for (const round of [2, 3])
      bench.stage(`b@${round}`, `await context.writer('documents').add(row('1', 'x'));`, { round });
    bench.stage('last', count, {
      inputs: { documents: [{ kind: 'last-round', rounds: outputs('b@2', 'b@3') }] },
    });
    const result = await bench.run(
      {},
      { loop: { max: 3, until: 'a.round > 0', rounds: [['a@1'], ['b@2'], ['b@3']], location: place } },
    );
    expect(states(result)).toEqual({ 'a@1': 'ran', 'b@2': 'skipped', 'b@3': 'skipped', last: 'failed' });
    expect(result.stages.get('last')?.diagnostic).toMatchObject({
      code: 'missing-input',
      message: 'last: the rounds ended before b@2 or b@3 ran',
    });
  });
});

describe('kills', () => {
  test('a killed runner leaves no worker behind, and the next run resumes', async () => {
    const bench = new Bench(programs.worker);
    const input = ['a', 'b', 'c', 'd'].map((name) => bench.write(`in/${name}.txt`, `${name}\n`));
    const busy =
      `${read} appendFileSync(${JSON.stringify(bench.path('log'))}, process.pid + '\\n'); const end = Date.now() + ` +
      '600; while (Date.now() < end);';
    bench.stage('read', busy, { sources: { path: input }, map: 'path' });
    const child = bench.spawn(programs.runner);
    let finished = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      finished += String(chunk).split('"action-end"').length - 1;
      if (finished >= 2) child.kill('SIGKILL');
    });
    await new Promise((resolve) => child.once('exit', resolve));
    for (const pid of new Set(bench.lines('log')))
      await vi.waitFor(() => expect(startTime(Number(pid))).toBeUndefined(), 10_000);
    const begun = bench.lines('log').length;
    const result = await bench.run();
    expect(states(result)).toEqual({ read: 'ran' });
    expect(bench.lines('log').length - begun).toBe(2);
    expect(readdirSync(bench.store.layout.attempts)).toEqual([]);
    const clean = new Bench(programs.worker);
    const inputs = ['a', 'b', 'c', 'd'].map((name) => clean.write(`in/${name}.txt`, `${name}\n`));
    clean.stage('read', read, { sources: { path: inputs }, map: 'path' });
    expect(digests(await clean.run())).toEqual(digests(result));
  });

  test('two runs on one store do an action once', async () => {
    const bench = new Bench(programs.worker);
    bench.stage(
      'slow',
      `appendFileSync(${JSON.stringify(bench.path('log'))}, 'x\\n'); await sleep(500); await ` +
        `context.writer('documents').add(row('1', 'x'));`,
    );
    const [one, two] = await Promise.all([bench.run(), bench.run()]);
    expect([states(one)['slow'], states(two)['slow']].sort()).toEqual(['cached', 'ran']);
    expect(bench.lines('log')).toEqual(['x']);
  });
});
