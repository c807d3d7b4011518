import { expect, it } from 'vitest';
import { problemsOf } from './fixture.ts';

const base = `stages:
  crawl: { uses: ingest, with: { path: x } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: crawl } }
  tokens: { uses: tokenize, inputs: { documents: crawl, tokenizer: tokenizer } }
  mask: { uses: mask, inputs: { sequences: tokens } }
`;
const bomb = [
  'a: &a [x,x,x,x,x,x,x,x,x]',
  ...'bcdefgh'.split('').map((each, i) => `${each}: &${each} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`),
].join('\n');

/** What is wrong, the pipeline, and what is said: `code line:column text`. */
const rows: readonly (readonly [string, string, readonly string[]])[] = [
  ['bomb', bomb, ['yaml-alias-bomb 6:8']],
  ['alias of itself', 'a: &a [*a]', ['yaml-alias 1:8']],
  ['depth, flow', `a: ${'['.repeat(100_000)}`, ['yaml-too-deep 1:62']],
  ['depth, block', Array.from({ length: 200 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'), ['yaml-too-deep 60:60']],
  ['10 MB', `a: ${'x'.repeat(1e7)}`, ['yaml-too-large 1:1']],
  ['a megabyte of brackets', '}'.repeat(1e6), ['yaml-syntax 1:1']],
  ['a megabyte of commas', `[${','.repeat(1e6)}`, ['yaml-too-large 1:400000']],
  [
    'duplicate key',
    'stages:\n  a: { uses: ingest }\n  a: {}',
    ['yaml-duplicate-key 3:3 duplicate key `a`; it is already set on line 2'],
  ],
  ['foreign tag', 'name: x\nstages: !!js/function "x"', ['yaml-unknown-tag 2:9 the tag `!!js/function`']],
  ['__proto__', 'vars:\n  __proto__: { a: 1 }', ['yaml-forbidden-key 2:3']],
  ['syntax', 'stages:\n  a: "unclosed', ['yaml-syntax 2:15']],
  ['tabs', 'stages:\n\ta: 1', ['yaml-syntax 2:1 tabs']],
  ['not a map', 'hello', ['wrong-type 1:1 a pipeline file is a map']],
  ['nothing', '# nothing\n', ['yaml-empty 1:1']],
  ['two documents', 'stages: {}\n---\nstages: {}', ['yaml-documents 2:1']],

  [
    'unknown key',
    `naem: x\n${base}`,
    ['unknown-property 1:1 unknown property `naem` in the pipeline (did you mean `name`?)'],
  ],
  [
    'unknown stage key',
    base.replace('mask, inputs', 'mask, input'),
    [
      'missing-input 5:3',
      'unknown-property 5:23 unknown property `input` in `stages.mask` in the pipeline (did you mean `inputs`?)',
    ],
  ],
  [
    'inputs that name no port',
    base.replace('{ sequences: tokens }', '[tokens]'),
    [
      'wrong-type 5:23 `stages.mask.inputs` must be a map, not a list (Where each input comes from: `inputs: { ' +
        'documents: books }`.)',
    ],
  ],
  ['wrong type', `seed: many\n${base}`, ['wrong-type 1:7 `seed` must be a whole number, not "many"']],
  [
    'enum',
    `backend: wsam\n${base}`,
    [
      'invalid-value 1:10 `backend` must be one of `auto`, `torch`, `tensorflow`, `wasm`, `cpu`, not "wsam" (did ' +
        'you mean `wasm`?)',
    ],
  ],
  ...(
    [
      ['cn', 'zh'],
      ['zho', 'zh'],
      ['zh-CN', 'zh'],
      ['jp', 'ja'],
      ['cz', 'cs'],
      ['eng', 'en'],
      ['gb', 'en'],
      ['uk_UA', undefined],
      ['bx', 'bn'],
      ['english', undefined],
    ] as const
  ).map(([written, meant]): [string, string, string[]] => [
    `language ${written}`,
    `stages:\n  a: { uses: ingest, with: { path: x } }\n  b: { uses: clean, inputs: { documents: a }, with: { ` +
      `languages: [${written}] } }`,
    [
      `invalid-value 3:67 \`languages.0\` must be one of \`bn\`, \`cs\`, \`en\`, \`ja\`, \`uk\`, \`zh\`, not ` +
        `"${written}"${meant ? ` (did you mean \`${meant}\`?)` : ''}`,
    ],
  ]),
  ['bad stage name', 'stages:\n  1.x: { uses: ingest, with: { path: x } }', ['bad-name 2:3 `1.x` cannot be a name']],
  [
    'stage type',
    base.replace('train-tokenizer', 'train-tokeniser'),
    ['unknown-stage-type 3:22 unknown stage type `train-tokeniser` (did you mean `train-tokenizer`?)'],
  ],
  [
    'own stage missing',
    base.replace('uses: mask', 'uses: ./none.ts'),
    ['stage-not-found 5:17 there is no file ./none.ts'],
  ],
  [
    'config key',
    base.replace('path: x', 'pth: x'),
    [
      'missing-property 2:26 `path` is missing in the config of `crawl`',
      'unknown-property 2:34 unknown property `pth` in the config of `crawl` (did you mean `path`?)',
    ],
  ],
  ['config missing altogether', base.replace(', with: { path: x }', ''), ['missing-property 2:3 `path` is missing']],
  [
    'output of a wrong type',
    `${base}\n  show: { run: "echo", outputs: { text: 3 } }`,
    ['wrong-type 7:41 `stages.show.outputs.text` must be a string or one with `contract`, not 3'],
  ],
  [
    'output of an unknown contract',
    `${base}\n  show: { run: "echo", outputs: { text: fils } }`,
    ['unknown-contract 7:41 unknown contract `fils`'],
  ],
  [
    'config value',
    base.replace('sequences: tokens }', 'sequences: tokens }, with: { rate: high }'),
    ['wrong-type 5:68 `rate` must be a number, not "high"'],
  ],
  ['neither uses nor run', 'stages:\n  a: { retries: 1 }', ['missing-property 2:3 `a` has neither']],
  ['both', 'stages:\n  a: { uses: ingest, with: { path: x }, run: "true" }', ['uses-and-run 2:41']],
  [
    'timeout',
    base.replace('uses: mask', 'uses: mask, timeout: soon'),
    ['invalid-value 5:32 `stages.mask.timeout` cannot be "soon"'],
  ],

  [
    'unknown stage',
    base.replace('sequences: tokens', 'sequences: token'),
    ['unknown-stage 5:44 unknown stage `token` (did you mean `tokens`?)'],
  ],
  [
    'unknown output',
    base.replace('sequences: tokens', 'sequences: tokens.seqences'),
    ['unknown-port 5:44 `tokens` (tokenize) does not have an output `seqences` (did you mean `sequences`?)'],
  ],
  [
    'unknown input',
    base.replace('sequences: tokens', 'sequence: tokens'),
    ['missing-input 5:3', 'unknown-port 5:33 `mask` does not have an input `sequence` (did you mean `sequences`?)'],
  ],
  [
    'missing input',
    base.replace(', tokenizer: tokenizer', ''),
    [
      'missing-input 4:3 `tokens` needs an input `tokenizer` (tokenizer of it) (add `inputs: { tokenizer: <stage> ' +
        '}`, for example `tokenizer`)',
    ],
  ],
  [
    'contract',
    base.replace('sequences: tokens', 'sequences: crawl'),
    [
      'contract-mismatch 5:44 `crawl` is `documents`, but input `sequences` of `mask` takes `sequences`\n    ' +
        'documents (dataset)   | sequences (dataset)\n      id: utf8            |   input_ids: list<uint32>',
    ],
  ],
  [
    'several',
    base.replace('sequences: tokens', 'sequences: [tokens, tokens]'),
    ['too-many-inputs 5:44 input `sequences` of `mask` takes one artifact, not 2'],
  ],
  [
    'cycle',
    'stages:\n  c: { uses: clean, inputs: { documents: b } }\n  a: { uses: clean, inputs: { documents: c } }\n  ' +
      'b: { uses: clean, inputs: { documents: a } }',
    ['cycle 3:3 stages form a cycle: a -> b -> c -> a'],
  ],
  ['itself', 'stages:\n  a: { uses: clean, inputs: { documents: a } }', ['cycle 2:3 stages form a cycle: a -> a']],
  [
    'switched off',
    base
      .replace('with: { path: x }', 'when: false, with: { path: x }')
      .replace(/ {2}tokenizer: .*\n/, '')
      .replace(', tokenizer: tokenizer', ''),
    ['missing-input 3:3', 'missing-input 3:39 input `documents` of `tokens` is not connected'],
  ],
  [
    'shell contract',
    'stages:\n  a: { run: "true", outputs: { out: { contract: modle } } }',
    ['unknown-contract 2:49 unknown contract `modle` (did you mean `model`?)'],
  ],

  [
    'var',
    base.replace('path: x', 'path: "${{ vars.dump }}"') + 'vars: { dumps: 1 }',
    ['unknown-name 2:45 unknown name `vars.dump` (did you mean `vars.dumps`?)'],
  ],
  [
    'second expression of a string',
    base.replace('path: x', 'path: "${{ 1 }}/${{ vars.no }}"'),
    ['unknown-name 2:54 unknown name `vars.no`'],
  ],
  [
    'expression syntax',
    base.replace('path: x', 'path: "${{ 1 + }}"'),
    ['expression-syntax 2:49 the expression ends too early'],
  ],
  [
    'open expression',
    base.replace('path: x', 'path: "${{ 1 + "'),
    ['expression-syntax 2:40 `${{` is not closed by `}}`'],
  ],
  [
    'kinds',
    base.replace('path: x', 'path: "${{ true * 2 }}"'),
    ['expression-value 2:45 `*` works on numbers, not on a boolean'],
  ],
  [
    'vars cycle',
    `vars: { a: "\${{ vars.b }}", b: "\${{ vars.c }}", c: "\${{ vars.a }}" }\n${base}`,
    ['vars-cycle 1:9 vars form a cycle: vars.a -> vars.b -> vars.c -> vars.a'],
  ],
  [
    'interpolated to the wrong kind',
    `vars: { often: yes please }\n${base.replace('uses: mask', 'retries: "${{ vars.often }}", uses: mask')}`,
    ['wrong-type 6:20 `retries` must be a whole number, not "yes please"'],
  ],
  [
    'empty matrix instance',
    base.replace('uses: mask', 'uses: mask, matrix: { rate: [0.1, 0.1] }'),
    ['matrix-duplicate 5:45'],
  ],

  [
    'config check',
    `${base}  train: { uses: pretrain, inputs: { masked: mask }, with: { hidden_size: 30, num_attention_heads: 4 } }`,
    ['config-check 6:100 4 attention heads do not divide hidden_size 30'],
  ],
  [
    'backend refused',
    `backend: torch\n${base}  train: { uses: pretrain, inputs: { masked: mask } }`,
    ['backend-missing 1:10 torch is not installed (run-pipeline setup torch)'],
  ],

  [
    'rounds: stage',
    `${base}rounds: { max: 2, stages: [maks] }`,
    ['unknown-stage 6:28 unknown stage `maks` (did you mean `mask`?)'],
  ],
  [
    'rounds: until',
    `${base}rounds: { max: 2, stages: [mask], until: tokens.loss < 1 }`,
    ['unknown-name 6:42 `tokens.loss` is not a metric of a stage in `rounds`'],
  ],
  [
    'rounds: carry',
    `${base}rounds: { max: 2, stages: [mask], carry: { mask.sequence: mask.masked } }`,
    ['unknown-port 6:44 `mask` does not have an input `sequence`'],
  ],
  [
    'rounds: carry contract',
    `${base}rounds: { max: 2, stages: [mask], carry: { mask.sequences: mask.masked } }`,
    ['contract-mismatch 6:60'],
  ],
  [
    'rounds: no max',
    `${base}rounds: { stages: [mask] }`,
    ['missing-property 6:1 `max` is missing in `rounds` in the pipeline'],
  ],
  [
    'rounds: a stage that waits for the last of them',
    'stages:\n  a: { uses: ingest, with: { path: x } }\n  b: { uses: clean, inputs: { documents: a } }\n' +
      '  b2: { uses: clean, inputs: { documents: b } }\n  c: { uses: refresh, inputs: { documents: [a, b2] } }\n' +
      '  d: { uses: clean, inputs: { documents: c } }\nrounds: { max: 2, stages: [a, c, d] }',
    [
      'rounds-wait 5:3 `c` is repeated in `rounds` and waits for the last of them: the last round -> b -> b2 -> c ' +
        '(repeat `b2` with it, in `rounds.stages`, or let `c` read something else)',
    ],
  ],

  [
    'several at once',
    `${base.replace('path: x', 'path: 3, snapsot: y').replace('sequences: tokens', 'sequences: tokns')}  x: { ` +
      'uses: evalute }',
    ['wrong-type 2:40', 'unknown-property 2:43', 'unknown-stage 5:44', 'unknown-stage-type 6:14'],
  ],
];

it.each(rows)('%s', async (_, text, expected) => {
  const start = performance.now();
  const problems = await problemsOf(text);
  expect(performance.now() - start).toBeLessThan(20_000);
  expect(problems.map((problem, index) => problem.slice(0, expected[index]?.length ?? 80))).toEqual(expected);
});

const set: readonly (readonly [string, string])[] = [
  ['vars.rat=1', 'unknown-set-path 1:6 `--set`: `vars.rat` is not in the pipeline (did you mean `vars.rate`?)'],
  [
    'stages.maks.with.rate=1',
    'unknown-set-path 1:8 `--set`: `stages.maks` is not in the pipeline (did you mean `stages.mask`?)',
  ],
  [
    'stages.mask.with.rat=1',
    'unknown-property 1:18 unknown property `rat` in the config of `mask` (did you mean `rate`?)',
  ],
  ['stages.mask.with.rate=high', 'wrong-type 1:23 `rate` must be a number, not "high"'],
  ['sed=1', 'unknown-set-path 1:1 `--set`: `sed` is not in the pipeline (did you mean `seed`?)'],
  ['rate', 'bad-set 1:1'],
  ['vars.rate=[1', 'yaml-syntax 1:13'],
  ['vars.__proto__=1', 'unknown-set-path 1:6'],
];
it.each(set)('--set %s', async (argument, expected) => {
  expect((await problemsOf(`vars: { rate: 1 }\n${base}`, [argument]))[0]?.slice(0, expected.length)).toBe(expected);
});

it('includes that go in a circle', async () => {
  const problems = await problemsOf({
    'a.yaml': 'include: b.yaml\nstages: { x: { uses: ingest, with: { path: y } } }',
    'b.yaml': 'include: a.yaml',
  });
  expect(problems).toHaveLength(1);
  expect(problems[0]).toMatch(/^include-cycle 1:10 .*a\.yaml -> .*b\.yaml -> .*a\.yaml/);
});
