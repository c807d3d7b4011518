import {
  appendFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { eventsOf, Project, root, samples, statesOf } from '../rig/project.ts';

/** `pretrain.yaml` as it is, made small enough to try often. */
const small = [
  'vars.steps=3',
  'vars.vocab_size=400',
  'vars.max_length=32',
  'stages.books.with.path=../samples/books',
  ...[
    'hidden_size=16',
    'num_hidden_layers=1',
    'num_attention_heads=2',
    'intermediate_size=16',
    'warmup_steps=1',
    'batch_size=4',
  ].map((setting) => `stages.pretrain.with.${setting}`),
  'stages.sentiment.with.epochs=1',
  'stages.sentiment.with.max_length=16',
  'stages.tokens.with.held_out=0.01',
].flatMap((setting) => ['--set', setting]);

const newestDump = 'mossewiki-20261201-pages-articles.xml.bz2';
const book = 'samples/books/the-bell-that-would-not-ring.txt';
const yaml = 'pipelines/pretrain.yaml';

let warm: Project;
let stages: string[];

/** The sample project with all its results, but without its newest dump. */
beforeAll(async () => {
  warm = new Project({});
  cpSync(join(root, yaml), warm.path(yaml));
  cpSync(samples, warm.path('samples'), {
    recursive: true,
    filter: (path) => !path.endsWith(newestDump) && !path.includes('chinese'),
  });
  for (const name of readdirSync(warm.path('samples/tasks')))
    warm.write(`samples/tasks/${name}`, warm.read(`samples/tasks/${name}`).split('\n').slice(0, 61).join('\n'));
  const states = await warm.states('pretrain.yaml', ...small);
  stages = Object.keys(states);
  expect(Object.values(states)).toEqual(stages.map(() => 'ran'));
});

/** The warm project at another place, as each row may change its own. */
function copyWarm(): Project {
  const project = new Project({});
  cpSync(warm.folder, project.folder, { recursive: true, verbatimSymlinks: true });
  return project;
}

const edit =
  (path: string, change: (text: string) => string) =>
  (project: Project): void => {
    const text = project.read(path);
    const changed = change(text);
    if (changed === text) throw new Error(`${path} is not changed`);
    project.write(path, changed);
  };
const set =
  (...settings: string[]) =>
  (): string[] =>
    settings.flatMap((setting) => ['--set', setting]);

const training = ['pretrain', 'evaluate', 'sentiment', 'export'];
/** Stages in the order of the file, between two of them; composite ones after their steps. */
const afterTokenizer = ['tokens', 'masked/tokens', 'masked/plan', 'masked', ...training];
/** Of texts only those of a shard that is new are signed and counted. */
const afterWindow = [
  'documents/signatures 1',
  'documents/clusters',
  'documents/kept',
  'documents',
  'tokenizer/words 1',
  'tokenizer/bpe',
  'tokenizer',
  ...afterTokenizer,
];

/** A change, and exactly the stages that run then; those of several actions with how many of them. */
const rows: readonly (readonly [
  name: string,
  change: (project: Project) => void | string[],
  ran: readonly string[],
])[] = [
  ['nothing but the place', () => {}, []],
  [
    'a renamed project folder',
    (project) => {
      renameSync(project.path('samples'), project.path('elsewhere'));
      edit(yaml, (text) => text.replaceAll('../samples', '../elsewhere'))(project);
      return set('stages.books.with.path=../elsewhere/books')();
    },
    [],
  ],
  ['a touched corpus file', (project) => utimesSync(project.path(book), new Date(), new Date()), []],
  [
    'a corpus file written anew with equal bytes',
    (project) => {
      const bytes = readFileSync(project.path(book));
      rmSync(project.path(book));
      writeFileSync(project.path(book), bytes);
    },
    [],
  ],
  [
    'comments and empty lines',
    edit(
      yaml,
      (text) =>
        `# another comment\n\n${text.replaceAll('\n  pretrain:', '\n\n  # training\n  pretrain: # the long one')}`,
    ),
    [],
  ],
  ['a description', edit(yaml, (text) => text.replace(/^description: .*$/m, 'description: Another.')), []],
  [
    'stages in another order',
    edit(yaml, (text) => {
      const [head = '', body = ''] = text.split('\nstages:\n');
      const parts = body.replaceAll(/^ *#.*\n|^\n/gm, '').split(/^(?= {2}[a-z-]+:)/m);
      return `${head}\nstages:\n${parts
        .toReversed()
        .map((part) => part.trimEnd())
        .join('\n')}\n`;
    }),
    [],
  ],
  [
    'a renamed stage',
    edit(yaml, (text) =>
      text.replace('  wikipedia: {', '  wiki: {').replace('documents: wikipedia', 'documents: wiki'),
    ),
    [],
  ],
  ['auto or what it stands for', set('backend=wasm'), []],
  ['another number of retries, a time limit', set('stages.pretrain.retries=2', 'stages.pretrain.timeout=1h'), []],

  ['a variable: steps', set('vars.steps=4'), training],
  ['a variable: vocabulary', set('vars.vocab_size=390'), ['tokenizer/bpe', 'tokenizer', ...afterTokenizer]],
  ['a stage config, at the end', set('stages.sentiment.with.learning_rate=0.01'), ['sentiment', 'export']],
  [
    'a stage config, in the middle',
    set('stages.masked.with.mlm_probability=0.2'),
    ['masked/plan', 'masked', ...training],
  ],
  ['a stage config that changes no output', set('stages.clean-crawl.with.languages=[en, am]'), ['clean-crawl 2']],
  ['a seed: the window falls as before', set('seed=2'), ['window', 'masked/plan', 'masked', ...training]],
  [
    'a swapped corpus',
    (project) => {
      mkdirSync(project.path('samples/other'));
      writeFileSync(
        project.path('samples/other/walks.txt'),
        project.read('samples/books/six-walks-in-the-vale.txt').toUpperCase(),
      );
      return set('stages.books.with.path=../samples/other')();
    },
    ['books', 'clean-books', 'window', ...afterWindow],
  ],
  [
    'an edited corpus file',
    edit(book, (text) =>
      text.replace(
        /(?=\n\*\*\* END)/,
        '\nAnd that is how the bell came home, though nobody in the village ever said so aloud.\n',
      ),
    ),
    ['books 1', 'clean-books 1', 'window', ...afterWindow],
  ],
  [
    'an edit in the licence, which is no part of the text',
    (project) => appendFileSync(project.path(book), '\nEnjoy it.\n'),
    ['books 1'],
  ],
  [
    'an edited task',
    (project) =>
      appendFileSync(
        project.path('samples/tasks/sentiment-train.tsv'),
        `\n${warm.read('samples/tasks/sentiment-train.tsv').split('\n')[1]}`,
      ),
    ['sentiment', 'export'],
  ],
  [
    'one more dump, which moves the window',
    // What the evicted dump had first is now kept in another shard, which so has other words as well.
    (project) => cpSync(join(samples, 'wikipedia', newestDump), project.path('samples/wikipedia', newestDump)),
    [
      'wikipedia 1',
      'clean-wikipedia 1',
      'window',
      ...afterWindow.map((entry) => entry.replace('tokenizer/words 1', 'tokenizer/words 2')),
    ],
  ],
];

it.each(rows)('%s', async (_, change, ran) => {
  const project = copyWarm();
  const more = change(project) ?? [];
  const result = await project.run('pretrain.yaml', '--json', ...small, ...more);
  expect(result.code, result.stderr + result.stdout).toBe(0);
  const counted = new Map(ran.map((entry) => [entry.split(' ')[0], entry.split(' ')[1]]));
  const names = stages.map((stage) => (stage in statesOf(result) ? stage : 'wiki'));
  expect(statesOf(result)).toEqual(
    Object.fromEntries(names.map((stage) => [stage, counted.has(stage) ? 'ran' : 'cached'])),
  );
  for (const [stage, actions] of counted)
    if (actions !== undefined)
      expect([
        stage,
        eventsOf(result).filter((event) => event.type === 'action-start' && event.stage === stage).length,
      ]).toEqual([stage, Number(actions)]);
  rmSync(project.folder, { recursive: true });
});
