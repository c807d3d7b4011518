import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from './rig/project.ts';

type Test = readonly [name: string, status: 'passed' | 'failed' | 'skipped'];

/** Run scripts/check-skips.mjs over a made report, on a machine that has real files or has none. */
function check(
  tests: readonly Test[],
  machine: { readonly sharedData: boolean },
): { code: number | null; said: string } {
  const folder = mkdtempSync(join(tmpdir(), 'skips-'));
  const report = {
    testResults: [
      {
        name: join(root, 'test/a.test.ts'),
        assertionResults: tests.map(([name, status]) => {
          const titles = name.split(' > ');
          return { ancestorTitles: titles.slice(0, -1), title: titles.at(-1), status };
        }),
      },
    ],
  };
  const expected = [
    { condition: 'no shared data', reason: 'r', tests: { 'test/a.test.ts': ['real', 'all of *.gz'] } },
    { condition: 'no shared data', reason: 'r', tests: { 'test/not-run.test.ts': ['other'] } },
  ];
  writeFileSync(join(folder, 'report.json'), JSON.stringify(report));
  writeFileSync(join(folder, 'expected.json'), JSON.stringify(expected));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/check-skips.mjs'), join(folder, 'report.json'), join(folder, 'expected.json')],
    {
      encoding: 'utf8',
      env: { ...process.env, RUN_PIPELINE_TEST_DATA: machine.sharedData ? folder : join(folder, 'nowhere') },
    },
  );
  return { code: status, said: stdout + stderr };
}

const reason = ' (skipped: there is no /data (or elsewhere))';

it.each<{ name: string; tests: readonly Test[]; sharedData?: boolean; said: string | undefined }>([
  {
    name: 'those listed, whole groups and by pattern',
    tests: [
      ['passes', 'passed'],
      [`real${reason} > one`, 'skipped'],
      [`real${reason} > two > three`, 'skipped'],
      [`all of x.gz${reason}`, 'skipped'],
    ],
    said: undefined,
  },
  {
    name: 'none where nothing is lacking',
    tests: [
      ['real > one', 'passed'],
      ['all of x.gz', 'failed'],
    ],
    sharedData: true,
    said: undefined,
  },
  {
    name: 'one that is not listed',
    tests: [
      [`real${reason} > one`, 'skipped'],
      [`all of x.gz${reason}`, 'skipped'],
      ['really', 'skipped'],
    ],
    said: 'not listed in .*: test/a.test.ts > really',
  },
  {
    name: 'one that is listed, where its condition does not hold',
    tests: [
      ['real > one', 'passed'],
      [`all of x.gz${reason}`, 'skipped'],
    ],
    sharedData: true,
    said: 'condition "no shared data" does not hold: test/a.test.ts > all of x.gz',
  },
  {
    name: 'one fewer than listed',
    tests: [
      [`real${reason} > one`, 'skipped'],
      ['real > two', 'passed'],
      [`all of x.gz${reason}`, 'skipped'],
    ],
    said: 'which holds, but not skipped: test/a.test.ts > real > two',
  },
  {
    name: 'one that is listed and has gone',
    tests: [[`real${reason} > one`, 'skipped']],
    said: 'but does not exist: test/a.test.ts > all of \\*.gz',
  },
])('skipped: $name', ({ tests, sharedData = false, said }) => {
  const result = check(tests, { sharedData });
  expect([result.code, result.said]).toEqual(
    said === undefined ? [0, expect.not.stringContaining('test/')] : [1, expect.stringMatching(said)],
  );
});

it('lists tests of files that exist', () => {
  const expected = JSON.parse(readFileSync(join(root, 'test/expected-skips.json'), 'utf8')) as {
    tests: Record<string, string[]>;
  }[];
  const files = expected.flatMap(({ tests }) => Object.keys(tests));
  expect(files.length).toBeGreaterThan(20);
  expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
