import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { digestsOf, eventsOf, Project, statesOf } from '../rig/project.ts';
import { expectFailure, pipeline, said, shell } from '../rig/steps.ts';

describe('how actions are run', () => {
  it('retries wait longer each time', async () => {
    const project = new Project({});
    const count = project.path('count');
    project.write(
      'p.yaml',
      pipeline({
        flaky: shell(`echo x >> ${count}; test $(wc -l < ${count}) = 3; echo x > $OUT_OUT/a`, 'files', ', retries: 2'),
      }),
    );
    const result = await project.run('p.yaml', '--json');
    expect(statesOf(result)).toEqual({ flaky: 'ran' });
    expect(eventsOf(result).filter(({ type }) => type === 'action-end')).toMatchObject([
      { ok: false, willRetryInMs: 1000, diagnostic: { code: 'step-failed' } },
      { ok: false, willRetryInMs: 2000 },
      { ok: true },
    ]);
  });

  it('a stage past its timeout is ended with all that it started', async () => {
    const project = new Project({});
    const late = project.path('late');
    project.write('p.yaml', pipeline({ slow: shell(`(sleep 2; touch ${late}) & wait`, 'files', ', timeout: 500ms') }));
    expectFailure(await project.run('p.yaml'), 1, '[stage-timeout]', '0.5 s');
    await new Promise((resolve) => {
      setTimeout(resolve, 2_000);
    });
    expect(existsSync(late)).toBe(false);
  });

  it('--keep-going runs what does not depend on the failure; without it nothing more begins', async () => {
    const project = new Project({
      'p.yaml': pipeline({
        bad: shell('exit 1'),
        after: shell('true', 'files', ', inputs: { in: bad }'),
        first: shell('sleep 1; echo x > $OUT_OUT/a'),
        other: shell('echo x > $OUT_OUT/a', 'files', ', inputs: { in: first }'),
      }),
    });
    expect(statesOf(await project.run('p.yaml', '--json'))).toEqual({
      bad: 'failed',
      after: 'skipped',
      first: 'ran',
      other: 'skipped',
    });
    const kept = await project.run('p.yaml', '--json', '--keep-going');
    expect(kept.code).toBe(1);
    expect(statesOf(kept)).toEqual({ bad: 'failed', after: 'skipped', first: 'cached', other: 'ran' });
  });

  it.each([
    ['the last round fails first', 'if [ ${{ round }} = 2 ]; then exit 1; fi; sleep 1;', ['ran', 'failed', 'skipped']],
    [
      'the last round is there, the first failed',
      'if [ ${{ round }} = 1 ]; then exit 1; fi;',
      ['failed', 'ran', 'ran'],
    ],
  ])('--keep-going with rounds: %s', async (_, script, [first, second, after]) => {
    const project = new Project({
      'p.yaml': `${pipeline({
        a: shell(`${script} echo x > $OUT_OUT/a`),
        b: shell('echo x > $OUT_OUT/a', 'files', ', inputs: { in: a }'),
      })}rounds: { max: 2, stages: [a] }\n`,
    });
    const result = await project.run('p.yaml', '--json', '--keep-going', '--jobs', '2');
    expect([result.code, said(result)]).toEqual([1, expect.not.stringContaining('bug in run-pipeline')]);
    expect(statesOf(result)).toEqual({ 'a@1': first, 'a@2': second, b: after });
  });

  const names = ['a', 'b', 'c', 'd'];
  /** Steps that note the GPUs they see, when they begin and when they end. */
  const four = (more: string): string =>
    pipeline(
      Object.fromEntries(
        names.map((name) => [
          name,
          shell(
            `{ echo "\${CUDA_VISIBLE_DEVICES:-}"; date +%s%N; sleep 0.4; date +%s%N; } > $OUT_OUT/${name}`,
            'files',
            more,
          ),
        ]),
      ),
    );
  const notes = (project: Project): { gpus: string; begin: number; end: number }[] =>
    names.map((name) => {
      const [gpus = '', begin, end] = project.read(`outputs/p/${name}/${name}`).split('\n');
      return { gpus, begin: Number(begin), end: Number(end) };
    });
  /** The most of them at a time. */
  const together = (steps: readonly { begin: number; end: number }[]): number =>
    Math.max(...steps.map(({ begin }) => steps.filter((other) => other.begin <= begin && begin < other.end).length));

  it.each([
    ['1', '', 1],
    ['3', ', resources: { cpus: 0.1 }', 3],
    ['4', ', resources: { cpus: 1000 }', 1],
    ['4', ', resources: { cpus: 0.1, memory: 1000TB }', 1],
  ] as const)('--jobs %s with needs %o: %i at a time', async (jobs, more, most) => {
    const project = new Project({ 'p.yaml': four(more) });
    expect((await project.run('p.yaml', '--jobs', jobs)).code).toBe(0);
    expect(together(notes(project))).toBe(most);
  });

  it.each([
    ['3', '5'],
    ['GPU-8932f937-d72c-4106-c12f-20bd9faed9f6', 'MIG-0c757cd7-e942-5726-a0b8-0e8fb7067135'],
  ])('each action is given GPUs of its own: %s, %s', async (...gpuIds) => {
    const project = new Project({ 'p.yaml': four(', resources: { cpus: 0.1, gpus: 1 }') });
    const result = await project.start(['p.yaml', '--json', '--jobs', '4'], { CUDA_VISIBLE_DEVICES: gpuIds.join() })
      .ended;
    expect(result.code, said(result)).toBe(0);
    const steps = notes(project);
    expect(together(steps)).toBe(2);
    for (const gpu of gpuIds) expect(together(steps.filter(({ gpus }) => gpus === gpu))).toBe(1);
    const given = eventsOf(result).flatMap(({ type, stage = '', gpus }) =>
      type === 'action-start' ? [[stage, String(gpus)] as const] : [],
    );
    expect(Object.fromEntries(given)).toEqual(Object.fromEntries(names.map((name, at) => [name, steps[at]!.gpus])));
  });

  it('a step that asks for no GPU sees none', async () => {
    const project = new Project({ 'p.yaml': four('') });
    expect((await project.start(['p.yaml'], { CUDA_VISIBLE_DEVICES: '0,1' }).ended).code).toBe(0);
    expect(notes(project).map(({ gpus }) => gpus)).toEqual(['', '', '', '']);
  });

  it('two runs on one store do each action once', async () => {
    const project = new Project({});
    const log = project.path('log');
    project.write(
      'p.yaml',
      pipeline(
        Object.fromEntries(
          ['a', 'b', 'c'].map((name) => [name, shell(`echo ${name} >> ${log}; sleep 0.5; echo x > $OUT_OUT/${name}`)]),
        ),
      ),
    );
    const results = await Promise.all([project.run('p.yaml', '--json'), project.run('p.yaml', '--json')]);
    expect(results.map(({ code }) => code)).toEqual([0, 0]);
    for (const stage of ['a', 'b', 'c'])
      expect(results.map((result) => statesOf(result)[stage]).sort()).toEqual(['cached', 'ran']);
    expect(project.read('log').trim().split('\n').sort()).toEqual(['a', 'b', 'c']);
    expect(digestsOf(results[0]!)).toEqual(digestsOf(results[1]!));
  });
});
