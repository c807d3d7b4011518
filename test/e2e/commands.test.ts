import { existsSync, readFileSync, statSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, Project, statesOf } from '../rig/project.ts';

const chain = `name: chain
vars: { word: hello }
stages:
  first:
    run: echo "\${{ vars.word }}" > $OUT_FILES/a.txt
    outputs: { files: { contract: files } }
  second:
    run: tr a-z A-Z < $IN_TEXT/a.txt > $OUT_FILES/a.txt; echo shouted
    inputs: { text: first }
    outputs: { files: { contract: files } }
  books: { uses: ingest-books, with: { path: "books/*.txt", lang: en } }
`;
const files = { 'chain.yaml': chain, 'books/a.txt': 'A short story.\n', 'books/b.txt': 'Another one.\n' };
const project = new Project(files);
const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');
const objects = (text: string): Record<string, unknown>[] =>
  lines(text).map((line) => JSON.parse(line) as Record<string, unknown>);

async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await project.run(...args);
  expect([code, stderr], stdout).toEqual([0, '']);
  return stdout;
}

beforeAll(async () => {
  expect(await project.states('chain.yaml')).toEqual({ first: 'ran', second: 'ran', books: 'ran' });
});

describe('help', () => {
  it.each([
    '',
    'run',
    'plan',
    'explain',
    'validate',
    'graph',
    'stages',
    'runs',
    'logs',
    'cache',
    'cache ls',
    'cache verify',
    'cache gc',
    'init',
    'doctor',
  ])('%s --help', async (command) => {
    const text = await output(...command.split(' ').filter(Boolean), '--help');
    expect(text).toMatch(new RegExp(`^Usage: run-pipeline ?${command}`));
    for (const line of lines(text)) expect(line.length, line).toBeLessThanOrEqual(120);
  });

  it("--version is the package's", async () => {
    expect((await output('--version')).trim()).toBe(
      (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }).version,
    );
  });
});

describe('plan and explain', () => {
  it('what a run would do, before there is anything', async () => {
    const fresh = new Project(files);
    const { stdout } = await fresh.run('plan', 'chain.yaml');
    expect(stdout).toMatch(/^books +run +first run$/m);
    expect(stdout).toMatch(/^first +run +first run \(runs your code\)$/m);
    expect(stdout).toMatch(/^second +pending +after first \(runs your code\)$/m);
    expect(existsSync(fresh.path('.run-pipeline'))).toBe(false);
  });

  it('explain names the ingredient that changed, old and new', async () => {
    const text = await output('explain', 'chain.yaml', '--set', 'vars.word=bye', '--set', 'stages.books.with.lang=de');
    expect(text).toMatch(/^books +run +config\.lang changed\n +config\.lang: en → de$/m);
    expect(text).toMatch(/^ +script: echo "hello" .* → echo "bye" /m);
    const one = await output('explain', 'chain.yaml', '--set', 'stages.books.with.lang=de', '--stage', 'books');
    expect(lines(one)).toHaveLength(2);
    expect((await project.run('explain', 'chain.yaml', '--stage', 'boks')).code).toBe(2);
  });

  it('--dry-run, plan and the run agree, and the dry run does nothing', async () => {
    const change = ['--set', 'stages.books.with.lang=fr'];
    const runs = await output('runs');
    const dry = objects(await output('chain.yaml', '--dry-run', '--json', ...change));
    expect(dry).toEqual(objects(await output('plan', 'chain.yaml', '--json', ...change)));
    expect(await output('runs')).toBe(runs);
    const planned = Object.fromEntries(
      dry.map(({ stage, freshness }) => [stage, (freshness as { kind: string }).kind === 'hit' ? 'cached' : 'ran']),
    );
    expect(planned).toEqual({ first: 'cached', second: 'cached', books: 'ran' });
    const run = await project.run('chain.yaml', '--json', ...change);
    expect(statesOf(run)).toEqual(planned);
    const said = objects(run.stdout)
      .filter(({ type }) => type === 'stage-planned')
      .map(({ time: _, ...event }) => event);
    const byStage = (a: Record<string, unknown>, b: Record<string, unknown>): number =>
      String(a['stage']).localeCompare(String(b['stage']));
    const withoutSaved = (events: Record<string, unknown>[]) =>
      events.map(({ stage, freshness }) => ({ stage, freshness })).sort(byStage);
    expect(withoutSaved(said)).toEqual(withoutSaved(dry));
  });
});

describe('validate, graph and stages', () => {
  it('validate reports every problem, or that there is none', async () => {
    expect(await output('validate', 'chain.yaml')).toBe('chain: 3 stages, valid\n');
    project.write(
      'wrong.yaml',
      chain.replace('vars.word', 'vars.wrd').replace('text: first', 'text: frist').replace('lang: en', 'lnag: en'),
    );
    const { code, stdout, stderr } = await project.run('validate', 'wrong.yaml');
    expect([code, stdout]).toEqual([2, '']);
    for (const text of [
      '[unknown-name]',
      'wrong.yaml:5:',
      'vars.word',
      '[unknown-stage]',
      'wrong.yaml:9:',
      '`first`',
      '[unknown-property]',
      'wrong.yaml:11:',
      '`lang`',
    ])
      expect(stderr).toContain(text);
    expect(stderr.match(/^error: /gm)).toHaveLength(3);
    const json = await project.run('validate', 'wrong.yaml', '--json');
    expect([json.code, json.stderr]).toEqual([2, '']);
    expect(objects(json.stdout).map(({ type }) => type)).toEqual(['diagnostic', 'diagnostic', 'diagnostic']);
  });

  it('reports a mistyped command as such', async () => {
    const { code, stderr } = await project.run('valdiate', 'chain.yaml');
    expect([code, stderr]).toEqual([
      2,
      'error: unknown command or pipeline file `valdiate` [unknown-command]\n  help: ' + 'did you mean `validate`?\n',
    ]);
  });

  it('graph draws Mermaid and dot', async () => {
    expect(await output('graph', 'chain.yaml')).toMatch(
      /^flowchart LR\n(?: {2}s\d\["\w+<br\/><i>[\w-]+<\/i>"\]\n){3} {2}s\d -->\|text\| s\d\n$/,
    );
    expect(await output('graph', 'chain.yaml', '--format', 'dot')).toMatch(
      /^digraph "chain" \{\n(?:.*\n)+ {2}s\d -> s\d \[label="text"\];\n\}\n$/,
    );
    expect((await project.run('graph', 'chain.yaml', '--format', 'svg')).code).toBe(2);
  });

  it('stages lists the types, and documents each', async () => {
    const types = lines(await output('stages')).map((line) => line.split(' ')[0] ?? '');
    for (const type of ['ingest-wikipedia', 'clean', 'train-tokenizer', 'pretrain', 'export'])
      expect(types).toContain(type);
    const text = await output('stages', 'tokenize');
    for (const part of ['inputs\n', 'outputs\n', 'with\n', 'max_length: integer', 'default'])
      expect(text).toContain(part);
    const unknown = await project.run('stages', 'tokenise');
    expect(unknown.code).toBe(2);
    expect(unknown.stderr).toContain('did you mean `tokenize`');
    for (const stage of objects(await output('stages', '--json')))
      expect(stage).toMatchObject({
        type: expect.any(String),
        outputs: expect.any(Object),
        config: expect.any(Object),
      });
  });
});

describe('run --json', () => {
  it('standard output holds JSON lines and nothing else', async () => {
    const fresh = new Project({
      ...files,
      'chain.yaml': chain.replace('echo shouted', 'echo shouted; echo "{ no json" >&2'),
    });
    const { code, stdout, stderr } = await fresh.run('chain.yaml', '--json');
    expect([code, stderr]).toEqual([0, '']);
    const events = objects(stdout);
    for (const event of events)
      expect(event).toMatchObject({ v: 1, type: expect.any(String), time: expect.any(Number) });
    expect(events[0]).toMatchObject({ type: 'run-start', pipeline: 'chain' });
    expect(events.at(-1)).toMatchObject({ type: 'run-end', state: 'ok', ran: 3 });
    expect(events.filter(({ type }) => type === 'log').map(({ stream, text }) => [stream, text])).toEqual(
      expect.arrayContaining([
        ['stdout', 'shouted'],
        ['stderr', '{ no json'],
      ]),
    );
    expect(readFileSync(fresh.path('.run-pipeline/runs', String(events[0]?.['run']), 'events.ndjson'), 'utf8')).toBe(
      stdout,
    );
  });

  it('a reader that goes away does not end the run', async () => {
    const fresh = new Project({ ...files, 'chain.yaml': chain.replace('echo shouted', 'seq 1 20000') });
    const { child, ended } = fresh.start(['chain.yaml', '--json']);
    child.stdout?.once('data', () => child.stdout?.destroy());
    expect(await ended).toMatchObject({ code: 0, stderr: '' });
    expect(await fresh.states('chain.yaml')).toEqual({ first: 'cached', second: 'cached', books: 'cached' });
  });

  it('a pipeline that is wrong is said in JSON, too', async () => {
    const { code, stdout, stderr } = await project.run('nowhere.yaml', '--json');
    expect([code, stderr]).toEqual([2, '']);
    expect(objects(stdout)).toMatchObject([{ type: 'diagnostic', diagnostic: { code: 'pipeline-not-found' } }]);
  });
});

describe('runs and logs', () => {
  it('runs lists them, newest first; logs says what one said', async () => {
    const fresh = new Project(files);
    const first = String(objects((await fresh.run('chain.yaml', '--json')).stdout)[0]?.['run']);
    const second = String(objects((await fresh.run('chain.yaml', '--json')).stdout)[0]?.['run']);
    const listed = lines((await fresh.run('runs')).stdout);
    expect(listed[0]).toMatch(new RegExp(`^${second} +chain +ok · 3 cached, 0 ran`));
    expect(listed[1]).toMatch(new RegExp(`^${first} +chain +ok · 0 cached, 3 ran in `));
    expect(objects((await fresh.run('runs', '--json')).stdout)).toMatchObject([
      { run: second, state: 'ok' },
      { run: first, state: 'ok' },
    ]);
    expect((await fresh.run('logs')).stdout).toContain('3 cached');
    expect((await fresh.run('logs', first)).stdout).toContain('second: shouted');
    const only = (await fresh.run('logs', first, '--stage', 'second')).stdout;
    expect(only).toContain('second: shouted');
    expect(lines(only).every((line) => line.startsWith('second: '))).toBe(true);
    expect((await fresh.run('logs', first, '--json')).stdout).toBe(
      fresh.read(`.run-pipeline/runs/${first}/events.ndjson`),
    );
    expect((await fresh.run('logs', '../..')).code).toBe(2);
    expect((await fresh.run('logs', 'none')).stderr).toContain('[unknown-run]');
    expect((await fresh.run('logs', first, '--stage', 'sceond')).code).toBe(2);
  });

  it('no run yet', async () => {
    const fresh = new Project(files);
    expect(await fresh.run('runs')).toMatchObject({ code: 0, stdout: '' });
    expect((await fresh.run('logs')).code).toBe(2);
  });
});

describe('cache', () => {
  it('ls, verify and gc', async () => {
    const fresh = new Project(files);
    await fresh.states('chain.yaml');
    await fresh.states('chain.yaml', '--set', 'vars.word=other');
    expect(lines((await fresh.run('cache', 'ls')).stdout).at(-1)).toMatch(/^6 results, \d/);
    expect(
      objects((await fresh.run('cache', 'ls', '--json')).stdout)
        .map(({ stage }) => stage)
        .sort(),
    ).toEqual(['books', 'books', 'first', 'first', 'second', 'second']);
    expect(await fresh.run('cache', 'verify')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^8 objects read, 0 damaged\n$/),
    });
    expect((await fresh.run('cache', 'gc')).stdout).toBe('removed 0 results, 0 objects, 0 B\n');
    expect((await fresh.run('cache', 'gc', '--keep-days', '0', '--dry-run')).stdout).toBe(
      'would remove 2 results, 2 objects, 12 B\n',
    );
    expect((await fresh.run('cache', 'gc', '--keep-days', '0')).stdout).toBe('removed 2 results, 2 objects, 12 B\n');
    expect(await fresh.states('chain.yaml', '--set', 'vars.word=other')).toEqual({
      first: 'cached',
      second: 'cached',
      books: 'cached',
    });
    expect(await fresh.states('chain.yaml')).toEqual({ first: 'ran', second: 'ran', books: 'cached' });
  });
});

describe('where things are kept', () => {
  it('--store, then RUN_PIPELINE_STORE, then .run-pipeline in the project', async () => {
    const fresh = new Project(files);
    const env = { RUN_PIPELINE_STORE: fresh.path('from-env') };
    await fresh.start(['chain.yaml', '--store', 'from-option'], env).ended;
    expect(['from-option', 'from-env', '.run-pipeline'].map((name) => existsSync(fresh.path(name)))).toEqual([
      true,
      false,
      false,
    ]);
    await fresh.start(['chain.yaml'], env).ended;
    expect(['from-env', '.run-pipeline'].map((name) => existsSync(fresh.path(name)))).toEqual([true, false]);
    for (const command of [['runs'], ['cache', 'ls'], ['logs']])
      expect(lines((await fresh.start(command, env).ended).stdout).length, command.join(' ')).toBeGreaterThan(0);
    expect((await fresh.start(['runs', '--store', 'from-option']).ended).stdout).toContain('chain');
  });

  it('a pipeline is found in ./pipelines, its results beside the project', async () => {
    const fresh = new Project({
      ...files,
      'pipelines/chain.yaml': chain.replace('books/*', '../books/*'),
      'chain.yaml': chain.replace('name: chain', 'name: here'),
    });
    expect((await fresh.run('chain.yaml')).stdout).toContain('here: 3 stages');
    const inPipelines = new Project({
      'books/a.txt': 'x',
      'pipelines/chain.yaml': chain.replace('books/*', '../books/*'),
    });
    expect((await inPipelines.run('chain.yaml')).code).toBe(0);
    expect(statSync(inPipelines.path('outputs/chain/first/a.txt')).isFile()).toBe(true);
  });
});

describe('init and doctor', () => {
  it('init writes a pipeline that validates, and never overwrites one', async () => {
    const fresh = new Project({});
    expect((await fresh.run('init', 'mine')).code).toBe(0);
    for (const command of ['validate', 'plan']) {
      const { code, stderr } = await fresh.run(command, 'mine/pipeline.yaml');
      expect([code, stderr]).toEqual([2, expect.stringContaining('corpus/*.txt')]);
    }
    fresh.write('mine/corpus/a.txt', 'A text.');
    expect(await fresh.run('validate', 'mine/pipeline.yaml')).toMatchObject({
      code: 0,
      stdout: 'my-model: 7 stages, valid\n',
    });
    const again = await fresh.run('init', 'mine');
    expect([again.code, again.stderr]).toEqual([2, expect.stringContaining('[exists]')]);
  });

  it('doctor checks node, build, store and backend', async () => {
    const text = await output('doctor');
    expect(lines(text).every((line) => line.startsWith('ok'))).toBe(true);
    for (const part of [`Node ${process.versions.node}`, 'stages are built', '.run-pipeline', 'backend'])
      expect(text).toContain(part);
    project.write('file', '');
    const bad = await project.run('doctor', '--store', 'file/store');
    expect([bad.code, bad.stdout]).toEqual([1, expect.stringMatching(/^problem +store .*file\/store/m)]);
  });
});

it('the events of a run name the stages in an order that respects what feeds them', async () => {
  const ended = eventsOf(await project.run('chain.yaml', '--json'))
    .filter(({ type }) => type === 'stage-end')
    .map(({ stage }) => stage);
  expect(ended.indexOf('first')).toBeLessThan(ended.indexOf('second'));
});
