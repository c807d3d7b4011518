import { cpSync, mkdirSync, readFileSync, readdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WordCounter } from '../../src/text/bpe/count-words.ts';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { HuggingFaceFolder, tinyConfig } from '../rig/hugging-face-folder.ts';
import { type CliResult, eventsOf, metricsOf, Project, root, samples, statesOf } from '../rig/project.ts';
import { missingModules, runPython } from '../rig/python.ts';

const missing = missingModules('torch', 'transformers', 'tokenizers');
const script = new URL('import_model.py', import.meta.url).pathname;
const books = readdirSync(join(samples, 'books')).map((name) => join(samples, 'books', name));

/**
 * A project with adapt.yaml: going on with the pretraining of a model from the hub, measuring what that gave,
 * fine-tuning it, giving it away.
 */
function adaptProject(): Project {
  const project = new Project({ 'pipelines/adapt.yaml': readFileSync(join(root, 'pipelines/adapt.yaml'), 'utf8') });
  for (const folder of ['samples', 'schemas']) symlinkSync(join(root, folder), project.path(folder));
  return project;
}

/** Small enough for these models; their learning rate is not that of a trained one. */
const adapt = (project: Project, ...args: string[]): Promise<CliResult> =>
  project.run(
    'adapt.yaml',
    '--set',
    `vars.model=${project.path('hub')}`,
    '--set',
    'vars.max_length=64',
    '--set',
    'vars.steps=30',
    '--set',
    'vars.learning_rate=0.003',
    ...args,
  );

function expectContinued(result: CliResult): void {
  expect(result.code, result.stdout.slice(-3000) + result.stderr).toBe(0);
  expect(new Set(Object.values(statesOf(result)))).toEqual(new Set(['ran']));
  const { before, after } = metricsOf(result);
  expect(after!.loss).toBeLessThan(before!.loss! - 0.3);
}

describe.skipIf(missing !== undefined)(
  `folders that transformers wrote${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    const project = adaptProject();
    const others = ['xlm-roberta', 'camembert', 'bare', 'questions', 'two-types'];

    it(
      'a sharded half-precision model is pretrained further, evaluated, fine-tuned and exported, and was imported ' +
        'as what it is',
      async () => {
        runPython([script, 'write', project.folder, ...books]);
        expect(readdirSync(project.path('hub')).filter((name) => name.endsWith('.safetensors')).length).toBeGreaterThan(
          1,
        );
        expectContinued(await adapt(project, '--json'));
        const [same] = JSON.parse(
          runPython([script, 'compare'], [[project.path('hub'), project.path('outputs/adapt/roberta')]]),
        ) as [object];
        expect(same).toEqual({ difference: 0, same_ids: true });
      },
    );

    it('XLM-RoBERTa, CamemBERT, a bare RobertaModel and others give the same logits or hidden states', async () => {
      project.write(
        'others.yaml',
        `name: others\nstages:\n${others
          .map((name) => `  ${name}: { uses: import-model, with: { path: ${name} } }\n`)
          .join('')}`,
      );
      const result = await project.run('others.yaml', '--json');
      expect(result.code, result.stdout + result.stderr).toBe(0);
      const logs = eventsOf(result)
        .filter((event) => event.type === 'log')
        .map((event) => `${event.stage}: ${event.text}`);
      for (const name of ['xlm-roberta', 'camembert'])
        expect(logs).toContainEqual(
          expect.stringMatching(
            `^${name}: the model is imported without a tokenizer: .*${name}/tokenizer.json is not a byte-level BPE`,
          ),
        );
      expect(logs).toContainEqual(
        'questions: ignored, because they are not used here: qa_outputs.bias, qa_outputs.weight',
      );
      const pairs = others.map((name) => [project.path(name), project.path('outputs/others', name)]);
      const answers = JSON.parse(runPython([script, 'compare'], pairs)) as { difference: number }[];
      expect(answers.map(({ difference }, i) => [others[i], difference])).toEqual(others.map((name) => [name, 0]));
    });
  },
);

describe('folders made by hand', () => {
  const vocabulary = (): string => {
    const words = new WordCounter();
    words.addText('The ferry was late, and the ferryman was not sorry. '.repeat(20));
    const folder = new Project({}).folder;
    writeTokenizer(folder, trainBpe(words.counts, { vocabSize: 300, minFrequency: 2 }));
    return folder;
  };

  it('links into a cache, bfloat16 and a padded vocabulary are continued', async () => {
    const project = adaptProject();
    const { path } = new HuggingFaceFolder(
      undefined,
      { ...tinyConfig, max_position_embeddings: 66 },
      vocabulary(),
    ).write({ everywhere: 'BF16', shards: 2 });
    // As huggingface_hub keeps a snapshot.
    mkdirSync(project.path('blobs'));
    mkdirSync(project.path('hub'));
    for (const [index, name] of readdirSync(path).entries()) {
      renameSync(join(path, name), project.path('blobs', String(index)));
      symlinkSync(join('..', 'blobs', String(index)), project.path('hub', name));
    }
    expectContinued(await adapt(project, '--json'));
  });

  it('a folder is named where a model or a tokenizer is wanted, and brought in once', async () => {
    const folder = new HuggingFaceFolder(
      undefined,
      { ...tinyConfig, max_position_embeddings: 66 },
      vocabulary(),
    ).write();
    const project = new Project({
      'p.yaml': `name: p
backend: wasm
stages:
  books: { uses: ingest-books, with: { path: ${samples}/books } }
  tokens: { uses: tokenize, inputs: { documents: books, tokenizer: ./hub }, with: { max_length: 64 } }
  masked: { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: ./hub } }
  pretrain:
    uses: pretrain
    inputs: { masked: masked, tokenizer: ./hub, init: ./hub }
    with: { max_length: 64, batch_size: 8, max_steps: 2, learning_rate: 1.0e-30 }
  sentiment:
    uses: fine-tune
    inputs: { model: ./hub }
    with: { train: ${samples}/tasks/sentiment-train.tsv, eval: ${samples}/tasks/sentiment-dev.tsv, text_column: sentence, epochs: 1 }
`,
    });
    const missing = await project.run('p.yaml');
    expect(missing.code).toBe(2);
    expect(missing.stderr).toMatch(/nothing .*hub|hub.*(?:no|missing)/i);

    cpSync(folder.path, project.path('hub'), { recursive: true });
    const result = await project.run('p.yaml', '--json');
    expect(result.code, result.stdout + result.stderr).toBe(0);
    expect(statesOf(result)).toMatchObject({
      'import-model[hub]': 'ran',
      'import-tokenizer[hub]': 'ran',
      pretrain: 'ran',
      sentiment: 'ran',
    });
    // At this learning rate the model is the one that was named.
    const bytes = (path: string): Buffer => readFileSync(project.path(path, 'model.safetensors'));
    expect(bytes('outputs/p/pretrain').equals(bytes('outputs/p/import-model[hub]'))).toBe(true);
  });

  it('what is wrong with one is said with its path, and a tokenizer that it lacks is missed by name', async () => {
    const project = adaptProject();
    const adaptation = project.read('pipelines/adapt.yaml');
    project.write('pipelines/adapt.yaml', adaptation.slice(0, adaptation.indexOf('  masked:')));
    const folder = new HuggingFaceFolder(undefined, { ...tinyConfig, max_position_embeddings: 66 });
    cpSync(folder.path, project.path('hub'), { recursive: true });
    const without = await adapt(project);
    expect(without.code).toBe(1);
    expect(without.stdout + without.stderr).toMatch(
      /stage tokens.*: Input "tokenizer" is empty: the stage it is connected to did not produce its optional output/,
    );

    writeFileSync(project.path('hub/config.json'), JSON.stringify({ ...folder.config, model_type: 'bert' }));
    const { code, stdout, stderr } = await adapt(project);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain(
      `${project.path('hub/config.json')} describes another architecture: model_type is "bert"`,
    );
  });
});
