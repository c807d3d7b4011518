import { describe, expect, it } from 'vitest';
import { load, loaded, problemsOf } from './fixture.ts';

const full = `
name: tiny
seed: 7
vars: { vocab_size: 512, double: "\${{ vars.vocab_size * 2 }}", rates: [0.15, 0.3] }
stages:
  evaluate: { uses: evaluate, inputs: { model: pretrain, masked: mask }, matrix: { rate: "\${{ vars.rates }}" } }
  pretrain: { uses: pretrain, inputs: { masked: mask }, matrix: { rate: [0.15, 0.3] }, with: { hidden_size: 32 }, retries: 2, timeout: 1.5h, resources: { cpus: 2, memory: 4GiB } }
  mask: { uses: mask, inputs: { sequences: tokens }, matrix: { rate: [0.15, 0.3] }, with: { rate: "\${{ matrix.rate }}" } }
  tokens: { uses: tokenize, inputs: { documents: window, tokenizer: tokenizer } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: window }, with: { vocab_size: "\${{ vars.double }}" } }
  window: { uses: refresh, inputs: { documents: [wikipedia, cleaned] } }
  cleaned: { uses: clean, inputs: { documents: crawl } }
  wikipedia: { uses: ingest, with: { path: ../samples/*.bz2 } }
  crawl: { uses: ingest, with: { path: [a.warc, "https://example.org/b.warc"], snapshot: 2026-11-01 } }
`;

describe('a whole pipeline', () => {
  it('is unrolled, connected and sorted', async () => {
    const pipeline = await loaded(full);
    expect(pipeline.name).toBe('tiny');
    expect(pipeline.stages.map((stage) => stage.id)).toEqual([
      'crawl',
      'wikipedia',
      'cleaned',
      'window',
      'tokenizer',
      'tokens',
      'mask[rate=0.3]',
      'mask[rate=0.15]',
      'pretrain[rate=0.3]',
      'pretrain[rate=0.15]',
      'evaluate[rate=0.3]',
      'evaluate[rate=0.15]',
    ]);
    const byId = new Map(pipeline.stages.map((stage) => [stage.id, stage]));
    expect(byId.get('mask[rate=0.3]')?.config).toEqual({ rate: 0.3, seed: 7 });
    expect(byId.get('tokenizer')?.config).toEqual({ vocab_size: 1024 });
    expect(byId.get('evaluate[rate=0.3]')?.inputs).toEqual({
      model: [{ kind: 'stage', stage: 'pretrain[rate=0.3]', port: 'model' }],
      masked: [{ kind: 'stage', stage: 'mask[rate=0.3]', port: 'masked' }],
    });
    expect(byId.get('window')?.inputs.documents).toEqual([
      { kind: 'stage', stage: 'wikipedia', port: 'documents' },
      { kind: 'stage', stage: 'cleaned', port: 'documents' },
    ]);
    expect(byId.get('pretrain[rate=0.3]')).toMatchObject({
      retries: 2,
      timeoutMs: 5_400_000,
      resources: { cpus: 2, memory: 4 * 2 ** 30, gpus: 0 },
      config: { hidden_size: 32, seed: 7, backend: 'wasm' },
    });
    expect(byId.get('crawl')).toMatchObject({
      sources: { path: [`${pipeline.folder}/a.warc`, 'https://example.org/b.warc'] },
      config: { path: ['a.warc', 'https://example.org/b.warc'], snapshot: '2026-11-01' },
      location: { line: 14, column: 3 },
    });
  });

  it('does not depend on the order of stages', async () => {
    const [head = '', body = ''] = full.split('stages:\n');
    const lines = body.trimEnd().split('\n');
    const strip = (pipeline: Awaited<ReturnType<typeof loaded>>) =>
      pipeline.stages.map(({ location: _, sources: __, ...stage }) => stage);
    const expected = strip(await loaded(full));
    for (const shuffled of [[...lines].reverse(), [...lines].sort(), [...lines.slice(4), ...lines.slice(0, 4)]]) {
      expect(strip(await loaded(`${head}stages:\n${shuffled.join('\n')}\n`))).toEqual(expected);
    }
  });
});

describe('a Hugging Face folder', () => {
  const chain = (stage: string): string => `
stages:
  a: { uses: ingest, with: { path: a } }
  tokens: { uses: tokenize, inputs: { documents: a, tokenizer: ./models/roberta } }
  masked: { uses: mask, inputs: { sequences: tokens } }
  ${stage}
`;

  it('given as a model and as a tokenizer is brought in as both, once', async () => {
    const pipeline = await loaded(
      chain('pretrain: { uses: pretrain, inputs: { masked: masked, init: ./x/../models/roberta } }'),
    );
    expect(pipeline.stages.map((stage) => stage.id)).toEqual([
      'a',
      'import-model[models/roberta]',
      'import-tokenizer[models/roberta]',
      'tokens',
      'masked',
      'pretrain',
    ]);
    const byId = new Map(pipeline.stages.map((stage) => [stage.id, stage]));
    expect(byId.get('import-model[models/roberta]')).toMatchObject({
      sources: { path: [`${pipeline.folder}/models/roberta`] },
      location: { line: 6 },
    });
    expect(byId.get('tokens')?.inputs.tokenizer).toEqual([
      { kind: 'stage', stage: 'import-tokenizer[models/roberta]', port: 'tokenizer' },
    ]);
    expect(byId.get('pretrain')?.inputs.init).toEqual([
      { kind: 'stage', stage: 'import-model[models/roberta]', port: 'model' },
    ]);
  });

  it('starts from the file that names it', async () => {
    const pipeline = await loaded({
      'p.yaml': 'include: parts/more.yaml\nstages:\n  a: { uses: ingest, with: { path: a } }\n',
      'parts/more.yaml': 'stages:\n  tokens: { uses: tokenize, inputs: { documents: a, tokenizer: ./roberta } }\n',
    });
    expect(pipeline.stages.find((stage) => stage.name.startsWith('import'))).toMatchObject({
      id: 'import-tokenizer[parts/roberta]',
      sources: { path: [`${pipeline.folder}/parts/roberta`] },
    });
  });

  it('is not read for anything else', async () => {
    expect(
      await problemsOf(chain('more: { uses: tokenize, inputs: { documents: ./texts, tokenizer: ./models/roberta } }')),
    ).toEqual([
      'bad-reference 6:48 `./texts` is a path, but input `documents` of `more` takes `documents` (only a model ' +
        'or a tokenizer can be given as a folder; otherwise name a stage that reads these files)',
    ]);
    expect(
      await problemsOf(chain('more: { run: "ls", inputs: { files: ./texts }, outputs: { list: files } }')),
    ).toEqual([expect.stringContaining('takes the output of a stage (let the script read the files itself)')]);
    expect(
      await problemsOf(chain('more: { uses: tokenize, inputs: { documents: a, tokenizer: FacebookAI/roberta-base } }')),
    ).toEqual([expect.stringContaining('or the path of a folder: `./FacebookAI/roberta-base`')]);
  });
});

describe('--set', () => {
  it('changes vars, configs and settings, typed as YAML', async () => {
    const pipeline = await loaded(full, [
      'vars.vocab_size=100',
      'stages.tokens.with.max_length=64',
      'seed=9',
      'stages.window.retries=3',
      'vars.rates=[0.15]',
      'stages.cleaned.with.languages=[zh, en]',
    ]);
    const byId = new Map(pipeline.stages.map((stage) => [stage.id, stage]));
    expect(byId.get('tokenizer')?.config).toEqual({ vocab_size: 200 });
    expect(byId.get('tokens')?.config).toMatchObject({ max_length: 64 });
    expect(byId.get('mask[rate=0.3]')?.config.seed).toBe(9);
    expect(byId.get('window')?.retries).toBe(3);
    expect(byId.get('cleaned')?.config.languages).toEqual(['zh', 'en']);
    expect(byId.has('evaluate[rate=0.3]')).toBe(false);
  });
});

describe('include', () => {
  it('merges files; paths belong to the file that names them, and the including file wins', async () => {
    const pipeline = await loaded({
      'pipeline.yaml':
        'include: parts/corpora.yaml\nvars: { words: 5 }\nstages:\n  clean: { uses: clean, inputs: { documents: ' +
        'books }, with: { min_words: "${{ vars.words }}" } }\n  books: { with: { snapshot: "2026" } }\n',
      'parts/corpora.yaml':
        'include: [more.yaml]\nvars: { words: 1, other: 2 }\nstages:\n  books: { uses: ingest, with: { path: ' +
        '../books, snapshot: "2025" } }\n',
      'parts/more.yaml': 'stages:\n  crawl: { uses: ingest, with: { path: crawl.warc } }\n',
    });
    const byId = new Map(pipeline.stages.map((stage) => [stage.id, stage]));
    expect(byId.get('books')?.sources).toEqual({ path: [`${pipeline.folder}/books`] });
    expect(byId.get('books')?.config).toEqual({ path: '../books', snapshot: '2026' });
    expect(byId.get('crawl')?.sources).toEqual({ path: [`${pipeline.folder}/parts/crawl.warc`] });
    expect(byId.get('clean')?.config).toMatchObject({ min_words: 5 });
  });
});

describe('rounds', () => {
  const rounds = `
vars: { target: 20 }
stages:
  crawl: { uses: ingest, with: { path: x } }
  window: { uses: refresh, inputs: { documents: crawl } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: crawl } }
  tokens: { uses: tokenize, inputs: { documents: window, tokenizer: tokenizer } }
  mask: { uses: mask, inputs: { sequences: tokens } }
  pretrain: { uses: pretrain, inputs: { masked: mask } }
  evaluate: { uses: evaluate, inputs: { model: pretrain, masked: mask } }
  export: { run: cp -r $IN_MODEL $OUT_COPY, inputs: { model: pretrain }, outputs: { copy: { contract: model } }, env: [HOME] }
rounds:
  max: 3
  until: evaluate.perplexity < vars.target
  stages: [window, tokens, mask, pretrain, evaluate]
  carry: { pretrain.init: pretrain.model }
`;
  it('are unrolled, carry the model on, and end in their last round', async () => {
    const pipeline = await loaded(rounds);
    const byId = new Map(pipeline.stages.map((stage) => [stage.id, stage]));
    expect(pipeline.loop).toMatchObject({
      max: 3,
      until: 'evaluate.perplexity < 20',
      location: { line: 12, column: 1 },
    });
    expect(pipeline.loop?.rounds[1]).toEqual(['window@2', 'tokens@2', 'mask@2', 'pretrain@2', 'evaluate@2']);
    expect(byId.get('window@3')?.config).toEqual({ window: 2, round: 3 });
    expect(byId.get('tokens@2')?.inputs).toEqual({
      documents: [{ kind: 'stage', stage: 'window@2', port: 'documents' }],
      tokenizer: [{ kind: 'stage', stage: 'tokenizer', port: 'tokenizer' }],
    });
    expect(byId.get('pretrain@1')?.inputs).toEqual({ masked: [{ kind: 'stage', stage: 'mask@1', port: 'masked' }] });
    expect(byId.get('pretrain@3')?.inputs.init).toEqual([{ kind: 'stage', stage: 'pretrain@2', port: 'model' }]);
    expect(byId.get('export')?.inputs).toEqual({
      model: [
        {
          kind: 'last-round',
          rounds: ['pretrain@1', 'pretrain@2', 'pretrain@3'].map((stage) => ({ stage, port: 'model' })),
        },
      ],
    });
    expect(byId.get('export')).toMatchObject({
      shell: { script: 'cp -r $IN_MODEL $OUT_COPY', env: ['HOME'] },
      type: { type: 'run', inputs: { model: { contract: 'model' } } },
    });
  });
});

it.each([
  ['another output', '{ x: { contract: files }, y: { contract: files } }', false],
  ['another contract', '{ x: { contract: documents } }', false],
  ['an output that may be empty', '{ x: { contract: files, optional: true } }', false],
  ['another description', '{ x: { contract: files, description: better } }', true],
])('a script with %s: does it count as the same? (%s)', async (_, outputs, same) => {
  const implementation = async (ports: string) =>
    (await loaded(`stages: { a: { run: 'echo hi', outputs: ${ports} } }`)).stages[0]?.type.implementation;
  expect((await implementation(outputs)) === (await implementation('{ x: { contract: files } }'))).toBe(same);
});

describe('when', () => {
  const text = (crawl: string) => `
vars: { crawl: ${crawl} }
stages:
  crawl: { uses: ingest, with: { path: x }, when: vars.crawl }
  books: { uses: ingest, with: { path: x } }
  window: { uses: refresh, inputs: { documents: [crawl, books] } }
  clean: { uses: clean, inputs: { documents: crawl }, when: "\${{ vars.crawl == true }}" }
`;
  it.each([
    ['true', ['books', 'crawl', 'clean', 'window']],
    ['false', ['books', 'window']],
  ])('crawl: %s', async (crawl, ids) => {
    expect((await loaded(text(crawl))).stages.map((stage) => stage.id)).toEqual(ids);
  });
});

it('says when the file is not there', async () => {
  const result = await load({ 'a.yaml': 'include: b.yaml\nstages: {}' });
  expect(result.ok ? [] : result.error.map((each) => each.code)).toEqual(['file-not-found', 'invalid-value']);
});
