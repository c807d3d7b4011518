import { describe, expect, it } from 'vitest';
import { load, loaded, problemsOf } from './fixture.ts';

const pipeline = (stage: string, more = ''): string => `
seed: 3
defaults: { resources: { memory: 1GiB } }
stages:
  a: { uses: ingest, with: { path: a } }
  b: { uses: ingest, with: { path: b } }
  ${stage}
${more}`;
const byId = async (text: string | Record<string, string>) =>
  new Map((await loaded(text)).stages.map((stage) => [stage.id, stage]));
const from = (stage: string, port = 'documents') => ({ kind: 'stage', stage, port });

describe('a composite stage type', () => {
  it('is replaced by its steps, each with exactly the config and the inputs that it reads', async () => {
    const text = pipeline(
      'd: { uses: deduplicate, inputs: { documents: [a, b] }, with: { within: snapshot }, ' +
        'retries: 2, resources: { memory: 9GiB } }',
      '  r: { uses: refresh, inputs: { documents: d } }\n',
    );
    const { stages, composites } = await loaded(text);
    const byName = new Map(stages.map((stage) => [stage.id, stage]));
    expect([...byName.keys()]).toEqual(['a', 'b', 'd/signed', 'd/compared', 'd/kept', 'r']);
    const documents = [from('a'), from('b')];
    const settings = { name: 'd', partOf: 'd', retries: 2, location: { line: 7, column: 3 } };
    // Memory is for what works on everything at once.
    expect(byName.get('d/signed')).toMatchObject({
      ...settings,
      resources: { memory: 2 ** 30 },
      config: { method: 'exact' },
      inputs: { documents },
    });
    expect(byName.get('d/compared')).toMatchObject({
      ...settings,
      resources: { memory: 9 * 2 ** 30 },
      config: { within: 'snapshot', seed: 3 },
      inputs: { documents, signatures: [from('d/signed', 'signatures')] },
    });
    expect(byName.get('d/kept')?.inputs).toEqual({ documents, duplicates: [from('d/compared', 'duplicates')] });
    expect(byName.get('r')?.inputs).toEqual({ documents: [from('d/kept')] });
    expect(composites).toMatchObject([
      {
        id: 'd',
        steps: ['d/signed', 'd/compared', 'd/kept'],
        outputs: { documents: [from('d/kept')], duplicates: [from('d/compared', 'duplicates')] },
      },
    ]);
  });

  it('leaves out steps whose `when` does not hold, optional inputs that are open and properties that are null', async () => {
    const withReasons = await byId(
      pipeline('d: { uses: deduplicate, inputs: { documents: a, more: b }, with: { method: minhash, limit: 5 } }'),
    );
    expect(withReasons.get('d/signed')?.inputs).toEqual({ documents: [from('a'), from('b')] });
    expect(withReasons.get('d/compared')?.config).toEqual({ within: 'all', seed: 5 });
    expect(withReasons.get('d/kept')?.inputs['reasons']).toEqual([from('d/reasons', 'duplicates')]);
    const without = await byId(pipeline('d: { uses: deduplicate, inputs: { documents: a } }'));
    expect(without.has('d/reasons')).toBe(false);
    expect(without.get('d/signed')?.inputs).toEqual({ documents: [from('a')] });
    expect(without.get('d/compared')?.config).toEqual({ within: 'all', seed: 3 });
    expect(without.get('d/kept')?.inputs).not.toHaveProperty('reasons');
  });

  it('has steps per matrix combination and round, and rounds carry its output on', async () => {
    const looped = await byId(
      pipeline(
        'd: { uses: deduplicate, inputs: { documents: a }, matrix: { m: [exact, minhash] }, with: { method: "${{ matrix.m }}" } }\n' +
          '  e: { uses: deduplicate, inputs: { documents: b } }\n' +
          '  last: { uses: refresh, inputs: { documents: [d, e] } }\n',
        'rounds: { stages: [d, e], max: 2, carry: { "e.more": e.documents } }\n',
      ),
    );
    expect([...looped.keys()].filter((id) => id.includes('signed')).sort()).toEqual([
      'd[m=exact]/signed@1',
      'd[m=exact]/signed@2',
      'd[m=minhash]/signed@1',
      'd[m=minhash]/signed@2',
      'e/signed@1',
      'e/signed@2',
    ]);
    expect(looped.get('d[m=minhash]/signed@2')).toMatchObject({
      name: 'd',
      partOf: 'd[m=minhash]@2',
      round: 2,
      config: { method: 'minhash' },
    });
    expect(looped.get('e/signed@1')?.inputs['documents']).toEqual([from('b')]);
    expect(looped.get('e/signed@2')?.inputs['documents']).toEqual([from('b'), from('e/kept@1')]);
    expect(looped.get('last')?.inputs['documents']).toEqual(
      ['d[m=exact]', 'd[m=minhash]', 'e'].map((id) => ({
        kind: 'last-round',
        rounds: [1, 2].map((round) => ({ stage: `${id}/kept@${round}`, port: 'documents' })),
      })),
    );
  });

  it('an output whose `when` does not hold cannot be connected', async () => {
    const reader = (within: string) =>
      pipeline(
        `d: { uses: deduplicate, inputs: { documents: a }, with: { within: ${within} } }`,
        '  s: { run: "cat $IN_X", inputs: { x: d.duplicates }, outputs: { y: files } }\n',
      );
    expect(await problemsOf(reader('snapshot'))).toEqual([]);
    expect(await problemsOf(reader('all'))).toEqual([
      "empty-input 8:39 input `x` of `s` is not connected: `d.duplicates` is produced only if `config.within == 'snapshot'` " +
        '(change the `with` of `d`, or connect another stage)',
    ]);
  });

  it('what is wrong with a config that its steps share is said once', async () => {
    expect(
      await problemsOf(pipeline('d: { uses: deduplicate, inputs: { documents: a }, with: { method: magic } }')),
    ).toEqual([expect.stringMatching(/^invalid-value 7:\d+ /)]);
  });

  it('its steps are not stage types for others', async () => {
    expect(await problemsOf(pipeline('d: { uses: deduplicate/sign, inputs: { documents: a } }'))).toEqual([
      expect.stringMatching(/^unknown-stage-type 7:\d+ /),
    ]);
  });

  it('stages that feed each other through one are a circle', async () => {
    expect(
      await problemsOf(
        pipeline(
          'd: { uses: deduplicate, inputs: { documents: r } }',
          '  r: { uses: refresh, inputs: { documents: d } }\n',
        ),
      ),
    ).toEqual([expect.stringContaining('stages form a cycle: d -> r -> d')]);
  });
});

const recipe = `
description: Read and clean.
inputs:
  more: { contract: documents, optional: true, many: true }
config:
  type: object
  additionalProperties: false
  required: [path]
  properties:
    path: { type: string }
    min_words: { type: integer }
    clean: { type: boolean, default: true }
outputs:
  documents: { from: [cleaned.documents, read] }
  rejects: { from: cleaned.rejects, optional: true, when: config.clean }
stages:
  read: { uses: ingest, with: { path: "\${{ config.path }}" } }
  window: { uses: refresh, inputs: { documents: [read, "\${{ inputs.more }}"] } }
  cleaned: { uses: clean, when: config.clean, inputs: { documents: window }, with: { min_words: "\${{ config.min_words }}" } }
`;
const project = (stages: string, more: Record<string, string> = {}) => ({
  'p/pipeline.yaml': `stages:\n${stages}`,
  'recipes/read.yaml': recipe,
  ...more,
});
const uses = 'uses: ../recipes/read.yaml';

describe('a recipe of the user', () => {
  it('is used like a stage type; paths given to it start where they are written', async () => {
    const { folder, stages } = await loaded(
      project(
        `  r: { ${uses}, with: { path: here.txt, min_words: 7 } }\n  t: { uses: train-tokenizer, inputs: { documents: r } }\n`,
      ),
    );
    const byName = new Map(stages.map((stage) => [stage.id, stage]));
    expect([...byName.keys()]).toEqual(['r/read', 'r/window', 'r/cleaned', 't']);
    expect(byName.get('r/read')?.sources).toEqual({ path: [`${folder}/p/here.txt`] });
    expect(byName.get('r/cleaned')?.config).toMatchObject({ min_words: 7 });
    expect(byName.get('t')?.inputs).toEqual({ documents: [from('r/cleaned')] });
  });

  it('an output comes from the first of several stages that is there', async () => {
    const stages = await byId(
      project(
        `  r: { ${uses}, with: { path: x, clean: false } }\n  t: { uses: train-tokenizer, inputs: { documents: r } }\n`,
      ),
    );
    expect(stages.get('t')?.inputs).toEqual({ documents: [from('r/read')] });
  });

  it('may use another recipe, relative to itself, and pass an input on', async () => {
    const outer = `
inputs: { more: { contract: documents } }
outputs: { documents: { from: inner }, given: { from: inputs.more, optional: true } }
stages:
  inner: { uses: ./read.yaml, inputs: { more: "\${{ inputs.more }}" }, with: { path: beside.txt } }
`;
    const { folder, stages, composites } = await loaded(
      project(
        '  a: { uses: ingest, with: { path: a } }\n  o: { uses: ../recipes/outer.yaml, inputs: { more: a } }\n' +
          '  t: { uses: train-tokenizer, inputs: { documents: [o, o.given] } }\n',
        { 'recipes/outer.yaml': outer },
      ),
    );
    const byName = new Map(stages.map((stage) => [stage.id, stage]));
    expect(byName.get('o/inner/read')).toMatchObject({
      partOf: 'o',
      sources: { path: [`${folder}/recipes/beside.txt`] },
    });
    expect(byName.get('o/inner/window')?.inputs).toEqual({ documents: [from('o/inner/read'), from('a')] });
    expect(byName.get('t')?.inputs).toEqual({ documents: [from('o/inner/cleaned'), from('a')] });
    expect(composites.map(({ id, steps }) => [id, steps])).toEqual([
      ['o', ['o/inner/read', 'o/inner/window', 'o/inner/cleaned']],
    ]);
  });

  it.each([
    ['a missing property', {}, `${uses}`, 'missing-property 2:3 `path` is missing in the config of `r`'],
    [
      'a wrong value',
      {},
      `${uses}, with: { path: x, min_words: few }`,
      'wrong-type 2:64 `min_words` must be a whole number, not "few"',
    ],
    [
      'a value that a step refuses',
      {},
      `${uses}, with: { path: x, min_words: 0 }`,
      'invalid-value 2:64 `min_words` must be >= 1, not 0',
    ],
    ['no such file', {}, 'uses: ./none.yaml', 'file-not-found 2:14 file not found'],
    [
      'itself',
      {
        outputs: recipe.replace(
          'uses: refresh, inputs: { documents: [read, "${{ inputs.more }}"] }',
          'uses: ./read.yaml, with: { path: x }',
        ),
      },
      `${uses}, with: { path: x }`,
      'recipe-cycle 18:3 the recipe ../recipes/read.yaml uses itself',
    ],
    [
      'an unknown name',
      { outputs: recipe.replace('config.path', 'config.pth') },
      `${uses}, with: { path: x }`,
      'unknown-name 17:44 unknown name `config.pth` (did you mean `config.path`?)',
    ],
    [
      'an unknown stage',
      { outputs: recipe.replace('cleaned.rejects', 'clean.rejects') },
      `${uses}, with: { path: x }`,
      'unknown-stage 15:20 unknown stage `clean`',
    ],
    [
      'an unknown output',
      { outputs: recipe.replace('cleaned.rejects', 'cleaned.reject') },
      `${uses}, with: { path: x }`,
      'unknown-port 15:20 `cleaned` does not have an output `reject`',
    ],
    [
      'a stage of the pipeline around it',
      { outputs: recipe.replace('documents: window', 'documents: r') },
      `${uses}, with: { path: x }`,
      'unknown-stage 19:68 unknown stage `r`',
    ],
    [
      'a wrong contract',
      { outputs: recipe.replace('documents: window', 'documents: cleaned.rejects') },
      `${uses}, with: { path: x }`,
      'contract-mismatch 19:68 `cleaned.rejects` is `rejects`',
    ],
    [
      'a word of its own',
      { outputs: recipe.replace('stages:', 'steps:') },
      `${uses}, with: { path: x }`,
      'missing-property',
    ],
  ])('%s is pointed at', async (_, changed: { outputs?: string }, stage, expected) => {
    const problems = await problemsOf(
      project(`  r: { ${stage} }\n`, changed.outputs === undefined ? {} : { 'recipes/read.yaml': changed.outputs }),
    );
    expect(problems.map((problem) => problem.slice(0, expected.length))).toContain(expected);
  });

  it('problems inside of it name its file', async () => {
    const result = await load(
      project(`  r: { ${uses}, with: { path: x } }\n`, {
        'recipes/read.yaml': recipe.replace('uses: clean', 'uses: cleam'),
      }),
    );
    expect(result.ok ? [] : result.error.map(({ code, location }) => [code, location?.file])).toContainEqual([
      'unknown-stage-type',
      `${result.folder}/recipes/read.yaml`,
    ]);
  });
});
