import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { digestsOf, Project, statesOf } from '../rig/project.ts';
import { because } from '../rig/skipped.ts';
import { expectFailure, pipeline, shell } from '../rig/steps.ts';

/** Three steps, each over the one before. */
const chain = pipeline({
  first: shell('echo hello > $OUT_OUT/a.txt'),
  second: shell('tr a-z A-Z < $IN_IN/a.txt > $OUT_OUT/a.txt', 'files', ', inputs: { in: first }'),
  third: shell('wc -c < $IN_IN/a.txt > $OUT_OUT/a.txt', 'files', ', inputs: { in: second }'),
});

/** A stage of one's own that reads a file, waits until `go` is there, and leaves a document of it. */
const reader = `import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineStage } from 'run-pipeline';
export default defineStage({
  description: 'Read a file slowly.', inputs: {}, outputs: { documents: { contract: 'documents', description: 'one' } },
  config: { type: 'object', additionalProperties: false, properties: { path: { type: 'string', 'x-source': true }, go: { type: 'string' }, started: { type: 'string' } } },
  async run(context) {
    const text = readFileSync(context.sources('path')[0].uri, 'utf8');
    writeFileSync(context.config.started, '');
    while (!existsSync(context.config.go)) await sleep(10, undefined, { signal: context.signal });
    await context.writer('documents').add({ id: '1', source: 's', snapshot: '', url: '', title: '', text, lang: 'en', meta: '{}' });
  },
});
`;

/** A file system of its own size in memory, to fill up. */
function mountMemory(size: string): { folder: string; remount: (option: string) => void } & Disposable {
  const folder = mkdtempSync(join(tmpdir(), 'disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder], { stdio: 'ignore' });
  return {
    folder,
    remount: (option) => {
      execFileSync('mount', ['-o', `remount,${option}`, folder]);
    },
    [Symbol.dispose]: () => {
      execFileSync('umount', ['-l', folder]);
    },
  };
}

const cannotMount = ((): string | undefined => {
  try {
    mountMemory('64k')[Symbol.dispose]();
    return undefined;
  } catch {
    const reason = 'no permission to mount a tmpfs';
    console.log(`skipped: ${reason}`);
    return reason;
  }
})();

describe('6: a step that exits 0 without what it promised', () => {
  const rows = [
    ['nothing', 'true', 'tokenizer', 'tokenizer.json'],
    ['an empty file', 'touch $OUT_OUT/tokenizer.json', 'tokenizer', 'tokenizer.json'],
    ['no file at all', 'true', 'files', 'at least one file'],
    ['a folder that is gone', 'rmdir $OUT_OUT', 'files', 'at least one file'],
    ['a link beside a file', 'echo hi > $OUT_OUT/a; ln -s a $OUT_OUT/model.bin', 'files', 'model.bin, which is a link'],
    ['a dataset without a shard', 'true', 'documents', 'is empty'],
    ['a shard that is not Arrow', 'echo hello > $OUT_OUT/part.arrow', 'documents', 'part.arrow'],
    ['a shard cut short', 'head -c 400 "$IN_IN"/*.arrow > $OUT_OUT/part.arrow', 'documents', 'part.arrow'],
    ['a shard of another contract', 'cp "$IN_IN"/*.arrow $OUT_OUT/part.arrow', 'sequences', 'sequences'],
  ] as const;
  it.each(rows)('%s', async (_, script, contract, text) => {
    const project = new Project({
      'books/a.txt': 'A short story.\n',
      'p.yaml': pipeline({
        books: '{ uses: ingest-books, with: { path: books } }',
        step: shell(script, contract, ', inputs: { in: books }'),
      }),
    });
    const result = await project.run('p.yaml');
    expectFailure(result, 1, '[contract-broken]', text, '--> p.yaml:');
    expect((await project.run('cache', 'ls', '--json')).stdout).not.toContain('"step"');
  });
});

describe('9 and 11: a store that lost something is mended, never an error', () => {
  const store = (project: Project, folder: string, end = ''): string[] =>
    readdirSync(project.path('.run-pipeline', folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(end))
      .map((entry) => join(entry.parentPath, entry.name));
  const tear = (path: string): void => truncateSync(path, 20);
  const empty = (path: string): void => truncateSync(path, 0);
  const ran = { first: 'ran', second: 'ran', third: 'ran' };
  const cached = { first: 'cached', second: 'cached', third: 'cached' };
  const rows: readonly (readonly [string, (project: Project) => void, Readonly<Record<string, string>>])[] = [
    ['objects gone', (project) => store(project, 'objects').forEach(unlinkSync), ran],
    ['the objects folder gone', (project) => rmSync(project.path('.run-pipeline/objects'), { recursive: true }), ran],
    ['records torn', (project) => store(project, 'actions').forEach(tear), ran],
    ['records empty', (project) => store(project, 'actions').forEach(empty), ran],
    ['what stages were made of torn', (project) => store(project, 'last').forEach(tear), cached],
    ['what stages were made of empty', (project) => store(project, 'last').forEach(empty), cached],
    ['journals torn', (project) => store(project, 'runs').forEach(tear), cached],
    ['journals empty', (project) => store(project, 'runs').forEach(empty), cached],
    ['result folders gone', (project) => rmSync(project.path('.run-pipeline/artifacts'), { recursive: true }), cached],
    ['digests torn', (project) => writeFileSync(project.path('.run-pipeline/digests.json'), '{"a": ["'), cached],
    [
      'a file where a run had its attempts',
      (project) => writeFileSync(project.path('.run-pipeline/attempts/20200101T000000-000000'), ''),
      cached,
    ],
  ];
  let warm: Project;
  let before: Record<string, string>;
  beforeAll(async () => {
    warm = new Project({ 'p.yaml': chain });
    before = await warm.digests('p.yaml');
  });
  const copyWarm = (): Project => {
    const project = new Project({});
    cpSync(warm.folder, project.folder, { recursive: true, verbatimSymlinks: true });
    return project;
  };

  it.each(rows)('%s', async (_, harm, expected) => {
    const project = copyWarm();
    harm(project);
    for (const command of [['explain', 'p.yaml'], ['logs']])
      expect((await project.run(...command)).code, command.join(' ')).toBe(0);
    const again = await project.run('p.yaml', '--json');
    expect(statesOf(again)).toEqual(expected);
    expect(digestsOf(again)).toEqual(before);
    expect(project.read('outputs/p/third/a.txt').trim()).toBe('6');
    expect((await project.run('runs')).code).toBe(0);
  });

  it('a flipped bit is found by `cache verify` (exit 4), set aside and built anew', async () => {
    const project = copyWarm();
    const [object = ''] = store(project, 'objects');
    const bytes = readFileSync(object);
    bytes[0]! ^= 1;
    chmodSync(object, 0o644);
    writeFileSync(object, bytes);
    expectFailure(await project.run('cache', 'verify'), 4, 'damaged');
    expectFailure(await project.run('cache', 'verify'), 0, '0 damaged');
    expect(await project.digests('p.yaml')).toEqual(before);
  });
});

describe("3 and 15: a store that is full or can't be written", () => {
  const words = Array.from({ length: 300_000 }, (_, index) => `word${index}`).join(' ');
  const yaml = pipeline({
    quick: shell('echo x > $OUT_OUT/a'),
    books: '{ uses: ingest-books, with: { path: books } }',
  });

  it('below a file: every stage that must run fails, and says why', async () => {
    const project = new Project({ 'p.yaml': yaml, 'books/a.txt': 'A story.', file: '' });
    expectFailure(
      await project.run('p.yaml', '--store', 'file/store'),
      1,
      '[journal-lost]',
      '[store-unusable]',
      'file/store',
      '--store',
      '1 warning',
    );
  });

  it.skipIf(cannotMount !== undefined)(
    `full: nothing is cached, the next run goes on when there is space${because(cannotMount)}`,
    async () => {
      const project = new Project({ 'p.yaml': yaml, 'books/a.txt': words });
      using disk = mountMemory('1m');
      const store = ['--store', join(disk.folder, 'store')];
      expectFailure(
        await project.run('p.yaml', '--keep-going', '--jobs', '1', ...store),
        1,
        'stage books: No space is left on the disk',
        '[no-space]',
        'quick: ran',
      );
      expect((await project.run('cache', 'ls', '--json', ...store)).stdout).not.toContain('"books"');
      expectFailure(await project.run('cache', 'verify', ...store), 0, ' 0 damaged');
      disk.remount('size=64m');
      expect(await project.states('p.yaml', ...store)).toEqual({ quick: 'cached', books: 'ran' });
      expect(await project.states('p.yaml', ...store)).toEqual({ quick: 'cached', books: 'cached' });
    },
  );

  it.skipIf(cannotMount !== undefined)(
    `read-only: what it holds is delivered with a warning, what must run fails${because(cannotMount)}`,
    async () => {
      const project = new Project({ 'p.yaml': yaml, 'books/a.txt': 'A story.' });
      using disk = mountMemory('16m');
      const store = ['--store', join(disk.folder, 'store')];
      await project.states('p.yaml', ...store);
      rmSync(project.path('outputs'), { recursive: true });
      disk.remount('ro');
      expectFailure(await project.run('p.yaml', ...store), 0, '2 cached, 0 ran, 1 warning', '[journal-lost]');
      expect(project.read('outputs/p/quick/a')).toBe('x\n');
      expectFailure(
        await project.run('p.yaml', ...store, '--set', 'stages.books.with.lang=en'),
        1,
        '[store-unusable]',
        'quick: cached',
      );
    },
  );
});

it('10: an input that changes while a stage reads it: failure, nothing cached, the next run reads it', async () => {
  const project = new Project({ 'own.ts': reader, 'in.txt': 'one' });
  const [started, go] = [project.path('started'), project.path('go')];
  project.write(
    'p.yaml',
    pipeline({ mine: `{ uses: ./own.ts, with: { path: in.txt, go: ${go}, started: ${started} } }` }),
  );
  const { ended } = project.start(['p.yaml']);
  await vi.waitFor(() => expect(existsSync(started)).toBe(true), 20_000);
  project.write('in.txt', 'two');
  project.write('go', '');
  expectFailure(await ended, 1, '[source-changed]', 'in.txt', 'p.yaml:3:3', '^^^^');
  expect(await project.states('p.yaml')).toEqual({ mine: 'ran' });
  expect(await project.states('p.yaml')).toEqual({ mine: 'cached' });
});

describe('18 to 20 and 27: a wrong pipeline is refused before anything runs, with the place and the remedy', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefgh'.split('').map((each, i) => `${each}: &${each} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
  ].join('\n');
  const base = `name: p
vars: { rate: 0.15, size: 300 }
stages:
  books:     { uses: ingest-books, with: { path: books } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: books }, with: { vocab_size: "\${{ vars.size }}" } }
  tokens:    { uses: tokenize, inputs: { documents: books, tokenizer: tokenizer } }
  masked:    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mlm_probability: "\${{ vars.rate }}" } }
  pretrain:  { uses: pretrain, inputs: { masked: masked, tokenizer: tokenizer }, with: { max_steps: 1 } }
  window:    { uses: refresh, inputs: { documents: books } }
`;
  const edit = (from: string, to: string): string => {
    if (!base.includes(from)) throw new Error(`the base pipeline has no ${from}`);
    return base.replace(from, to);
  };
  const rows: readonly (readonly [name: string, yaml: string, code: string, place: string, ...texts: string[]])[] = [
    ['alias bomb', bomb, 'yaml-alias-bomb', '6:8', '^'],
    ['depth', `a: ${'['.repeat(10_000)}`, 'yaml-too-deep', '1:62', '^'],
    ['duplicate keys', edit('  window:', '  books:'), 'yaml-duplicate-key', '9:3', '^^^^^', 'line 4'],
    ['an unknown tag', edit('name: p', 'name: !!js/function p'), 'yaml-unknown-tag', '1:7', '^^^^^^^^^^^^^'],
    ['__proto__', edit('rate: 0.15', '__proto__: 0.15'), 'yaml-forbidden-key', '2:9', '^^^^^^^^^'],
    ['10 MB', `name: ${'x'.repeat(10_000_000)}`, 'yaml-too-large', '1:1', '9.5 MiB'],
    ['no YAML', edit('{ path: books }', '{ path: books '), 'yaml-syntax', '5:', '^'],
    ['an unknown key', edit('name: p', 'naem: p'), 'unknown-property', '1:1', '^^^^', 'did you mean `name`'],
    ['an unknown config key', edit('vocab_size', 'vocabsize'), 'unknown-property', '5:77', 'did you mean `vocab_size`'],
    ['a wrong type', edit('max_steps: 1', 'max_steps: many'), 'wrong-type', '8:', '^^^^', 'whole number'],
    [
      'a typo in a stage',
      edit('documents: books, tok', 'documents: boks, tok'),
      'unknown-stage',
      '6:',
      '^^^^',
      'did you mean `books`',
    ],
    [
      'a typo in a stage type',
      edit('uses: mask', 'uses: maks'),
      'unknown-stage-type',
      '7:',
      '^^^^',
      'did you mean `mask`',
    ],
    ['a typo in a var', edit('vars.rate', 'vars.rat'), 'unknown-name', '7:', '^^^^^^^^', 'did you mean `vars.rate`'],
    [
      'a cycle',
      edit(
        'inputs: { documents: books } }\n',
        'inputs: { documents: [books, again] } }\n  again: { uses: deduplicate, inputs: { documents: window } }\n',
      ),
      'cycle',
      ':3',
      'again -> window -> again',
    ],
    [
      'a missing input',
      edit('documents: books, tokenizer: tokenizer', 'documents: books'),
      'missing-input',
      '6:3',
      '^^^^^^',
      'tokenizer',
    ],
    [
      'contracts that do not meet',
      edit('sequences: tokens.sequences', 'sequences: books'),
      'contract-mismatch',
      '7:',
      '^^^^^',
      'documents (dataset)',
      'sequences (dataset)',
    ],
    [
      'heads that do not divide the width',
      edit('max_steps: 1', 'hidden_size: 30, num_attention_heads: 4'),
      'config-check',
      '8:',
      '^',
      '4',
      '30',
    ],
    ['a vocabulary below the special tokens', edit('size: 300', 'size: 100'), 'invalid-value', '5:', '^', '100'],
    [
      'an input that its producer leaves empty',
      edit(
        'inputs: { documents: books } }\n',
        'inputs: { documents: books } }\n  test: { uses: evaluate, inputs: { model: pretrain, sequences: ' +
          'tokens.held_out } }\n',
      ),
      'empty-input',
      '10:',
      '^^^^^',
      'held_out',
    ],
    [
      'an expression without quotes',
      edit('"\${{ vars.rate }}"', '\${{ vars.rate }}'),
      'yaml-syntax',
      '7:',
      'quote a value that starts with',
    ],
    ['a path to nothing', edit('path: books', 'path: boks'), 'source-not-found', '4:3', 'boks'],
    [
      'an encoding that is none',
      edit('path: books', 'path: books, encoding: gbkk'),
      'config-check',
      '4:67',
      '^^^^',
      'gbkk',
    ],
    [
      'a window of nothing',
      edit('inputs: { documents: books } }\n', 'inputs: { documents: books }, with: { window: 0 } }\n'),
      'invalid-value',
      '9:',
      '^',
      'window',
    ],
  ];
  it.each(rows)('%s', async (_, yaml, code, place, ...texts) => {
    const project = new Project({ 'p.yaml': yaml, 'books/a.txt': 'A short story.\n' });
    const result = await project.run('p.yaml');
    expectFailure(result, 2, `[${code}]`, '--> p.yaml:', place, ...texts);
    expect(result.stdout).toBe('');
    expect(existsSync(project.path('.run-pipeline/objects'))).toBe(false);
  });
});

describe('exit codes', () => {
  const rows: readonly (readonly [name: string, code: number, yaml: string, ...texts: string[]])[] = [
    ['all well', 0, chain, '3 ran'],
    [
      'a step that fails',
      1,
      pipeline({ s: shell('echo because >&2; exit 3') }),
      '[step-failed]',
      'exit code 3: because',
    ],
    ['a step that kills itself', 1, pipeline({ s: shell('kill -9 $$') }), '[step-failed]', 'SIGKILL'],
    [
      'no such source',
      2,
      pipeline({ s: '{ uses: ingest-books, with: { path: none/*.txt } }' }),
      '[source-not-found]',
      'none/*.txt',
      'p.yaml:3:3',
    ],
    ['a pipeline that is wrong', 2, pipeline({ s: '{ uses: nonsense }' }), '[unknown-stage-type]'],
  ];
  for (const [name, code, yaml, ...texts] of rows)
    it(`${name}: ${code}`, async () => {
      expectFailure(await new Project({ 'p.yaml': yaml }).run('p.yaml'), code, ...texts);
    });

  it('an option, a command or a pipeline that does not exist: 2', async () => {
    const project = new Project({ 'p.yaml': chain });
    expectFailure(await project.run('p.yaml', '--jbs', '3'), 2, '--jobs');
    expectFailure(await project.run('p.yaml', '--jobs', 'many'), 2, 'whole number');
    expectFailure(await project.run('cache', 'nonsense'), 2, 'nonsense');
    expectFailure(await project.run('nowhere.yaml'), 2, '[pipeline-not-found]', 'run-pipeline init');
    expectFailure(await project.run('p.yaml', '--set', 'vars.x=1'), 2, '[unknown-set-path]', '^^^^');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s: %i, what finished is kept, the next run goes on', async (signal, code) => {
    const project = new Project({});
    const flag = project.path('flag');
    project.write(
      'p.yaml',
      pipeline({
        quick: shell('echo x > $OUT_OUT/a'),
        slow: shell(
          `echo x > $OUT_OUT/a; echo begun; test -e ${flag} || exec sleep 60`,
          'files',
          ', inputs: { in: quick }',
        ),
      }),
    );
    const { child, ended, events } = project.start(['p.yaml', '--json']);
    await vi.waitFor(
      () => expect(events().find(({ type, stage }) => type === 'log' && stage === 'slow')).toBeDefined(),
      20_000,
    );
    child.kill(signal);
    const result = await ended;
    expect([result.code, result.signal]).toEqual([code, null]);
    expect(statesOf(result)).toEqual({ quick: 'ran', slow: 'interrupted' });
    expect(result.stderr).toBe('');
    expect(readdirSync(project.path('.run-pipeline/attempts'))).toEqual([]);
    project.write('flag', '');
    expect(await project.states('p.yaml')).toEqual({ quick: 'cached', slow: 'ran' });
  });
});
