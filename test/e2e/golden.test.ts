/**
 * Every stage type on the samples, against the digests of its outputs in test/golden/digests.json. Bytes that change
 * without a new version in stages/versions.json fail: users would go on with results that the code no longer makes. So
 * `npm run versions -- keep` cannot be used for a change of results. After a bump, `UPDATE_GOLDEN=1 npx vitest run
 * test/e2e/golden.test.ts` writes the record again.
 *
 * Stages that compute with a model do so on backend `cpu`, plain JavaScript. Its Math functions belong to V8, and so
 * may differ between major versions of Node: elsewhere than on the recorded one these stages are not compared.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { eventsOf, Project, root, samples } from '../rig/project.ts';

const pipeline = `name: golden
seed: 5
backend: cpu
stages:
  wikipedia: { uses: ingest-wikipedia, with: { dump: ${samples}/wikipedia/*.xml.bz2 } }
  crawl: { uses: ingest-common-crawl, with: { path: ${samples}/crawl/*.warc.gz } }
  books: { uses: ingest-books, with: { path: ${samples}/books } }
  cleaned: { uses: clean, inputs: { documents: wikipedia }, with: { languages: [en], keep_rejects: true } }
  window: { uses: refresh, inputs: { documents: [cleaned, crawl, books] }, with: { window: 2, weights: { books: 2 } } }
  documents: { uses: deduplicate, inputs: { documents: window }, with: { method: minhash } }
  tokenizer: { uses: train-tokenizer, inputs: { documents: documents }, with: { vocab_size: 600 } }
  tokens:
    uses: tokenize
    inputs: { documents: documents, tokenizer: tokenizer }
    with: { max_length: 32, held_out: 0.01 }
  dynamic: { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer } }
  weighed:
    uses: mask
    inputs: { sequences: tokens.sequences, tokenizer: tokenizer }
    with: { mode: importance, importance: pmi, whole_word: true }
  static:
    { uses: mask, inputs: { sequences: tokens.sequences, tokenizer: tokenizer }, with: { mode: static, copies: 2 } }
  pretrain:
    uses: pretrain
    inputs: { masked: dynamic, tokenizer: tokenizer }
    with:
      hidden_size: 16
      num_hidden_layers: 1
      num_attention_heads: 2
      intermediate_size: 16
      batch_size: 4
      max_steps: 3
  evaluate:
    uses: evaluate
    inputs: { model: pretrain, sequences: tokens.held_out }
    with: { max_sequences: 20 }
  sentiment:
    uses: fine-tune
    inputs: { model: pretrain }
    with: { train: train.tsv, eval: train.tsv, text_column: sentence, epochs: 1, max_length: 16, batch_size: 8 }
  export: { uses: export, inputs: { model: sentiment } }
`;
const imports = `name: imports
stages:
  model: { uses: import-model, with: { path: outputs/golden/export } }
  tokenizer: { uses: import-tokenizer, with: { path: outputs/golden/export } }
`;
/** Stage types whose results are floating-point numbers of a model. */
const computed = ['pretrain', 'evaluate', 'fine-tune', 'export', 'import-model'];

interface Recorded {
  readonly version: number;
  /** Digests by `<stage>.<output>`. */
  readonly outputs: Readonly<Record<string, string>>;
}
interface GoldenRecord {
  readonly node: number;
  readonly types: Readonly<Record<string, Recorded>>;
}

const file = join(root, 'test/golden/digests.json');
const isUpdate = process.env['UPDATE_GOLDEN'] === '1';
const node = Number(process.versions.node.split('.')[0]);
const versions = JSON.parse(readFileSync(join(root, 'stages/versions.json'), 'utf8')) as Record<
  string,
  { version: number }
>;
const recorded = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as GoldenRecord) : { node, types: {} };

describe('results on the samples', () => {
  const found: Record<string, { version: number; outputs: Record<string, string> }> = {};
  beforeAll(async () => {
    const project = new Project({ 'golden.yaml': pipeline, 'imports.yaml': imports });
    const texts = readFileSync(join(samples, 'tasks/sentiment-train.tsv'), 'utf8').split('\n').slice(0, 41);
    project.write('train.tsv', `${texts.join('\n')}\n`);
    for (const name of ['golden.yaml', 'imports.yaml']) {
      const result = await project.run(name, '--json');
      expect(result.code, result.stdout.slice(-3000) + result.stderr).toBe(0);
      const events = eventsOf(result) as {
        type: string;
        stage?: string;
        stages?: { id: string; uses: string }[];
        outputs?: Record<string, { digest: string }>;
      }[];
      const uses = new Map(
        events.find(({ type }) => type === 'run-start')!.stages!.map((each) => [each.id, each.uses]),
      );
      for (const { stage, outputs = {} } of events.filter(({ type }) => type === 'stage-end')) {
        const type = uses.get(stage!)!;
        // A composite stage's outputs are its steps'.
        if (versions[type] === undefined) continue;
        found[type] ??= { version: versions[type].version, outputs: {} };
        for (const [port, { digest }] of Object.entries(outputs)) found[type].outputs[`${stage}.${port}`] = digest;
      }
    }
    const sorted = Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1));
    if (isUpdate) writeFileSync(file, `${JSON.stringify({ node, types: Object.fromEntries(sorted) }, null, 2)}\n`);
  });

  it('cover every stage type', () => {
    expect(Object.keys(found).sort()).toEqual(Object.keys(versions).sort());
  });

  it.each(Object.keys(versions))('%s: the bytes are those recorded for its version', (type) => {
    if (isUpdate || (computed.includes(type) && node !== recorded.node)) return expect(found[type]).toBeDefined();
    const before = recorded.types[type];
    expect(before?.version, `${type}: the record is of another version; run with UPDATE_GOLDEN=1`).toBe(
      found[type]!.version,
    );
    return expect(
      found[type]!.outputs,
      `${type} gives other bytes under the same version: ` +
        `\`npm run versions -- bump ${type}\`, then run with UPDATE_GOLDEN=1`,
    ).toEqual(before!.outputs);
  });
});
