import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import stage from '../../stages/tokenize/index.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { runInPipeline } from '../rig/composite.ts';
import { datasetOf, document, folderOf, runStage, type TestArtifact } from '../rig/run-stage.ts';

const model = trainBpe(
  new Map([
    [' the', 9],
    [' sentence', 5],
    ['One', 3],
  ]),
  { vocabSize: 300, minFrequency: 1 },
);
const tokenizer = new Tokenizer(model);
const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
writeTokenizer(folder, model);
const tokenizerArtifact: TestArtifact = folderOf('tokenizer', folder);

const tokenize = async (texts: readonly string[], config: Record<string, unknown> = {}) => {
  const documents = await datasetOf(
    'documents',
    texts.map((text, i) => document({ id: `t:${i}`, source: 'books', text })),
  );
  return runStage(stage, { type: 'tokenize', config, inputs: { documents, tokenizer: tokenizerArtifact } });
};

describe('tokenize', () => {
  it('packs all documents, and the text can be read back', async () => {
    const { outputs, metrics } = await tokenize(['One sentence. The other one.', 'Third sentence.']);
    const rows = await outputs.sequences!.rows();
    expect(rows).toHaveLength(1);
    const ids = rows[0]!.input_ids as Uint32Array;
    expect([ids[0], ids.at(-1), ids.filter((id) => id === 2).length]).toEqual([0, 2, 2]);
    expect(tokenizer.decode(ids)).toBe('One sentence. The other one.Third sentence.');
    expect([...(rows[0]!.doc_ids as Uint32Array)]).toEqual([0, 1]);
    expect(metrics).toMatchObject({ 'documents.in': 2, sequences: 1, tokens: ids.length });
    expect(outputs.sequences!.manifest.files[0]!.meta).toEqual({
      source: 'books',
      snapshot: '2026-11-01',
      tokens: ids.length,
      sequences: 1,
    });
  });

  it('keeps sequences within max_length', async () => {
    const { outputs } = await tokenize([`${'the sentence, '.repeat(100)}. The end.`], {
      max_length: 16,
      packing: 'doc-sentences',
    });
    const rows = await outputs.sequences!.rows();
    expect(rows.length).toBeGreaterThan(5);
    for (const { input_ids } of rows) expect((input_ids as Uint32Array).length).toBeLessThanOrEqual(16);
  });

  it('marks the words of Chinese text', async () => {
    const { outputs } = await tokenize(['我爱北京天安门']);
    const [row] = await outputs.sequences!.rows();
    expect([...(row!.word_starts as Uint16Array)]).toEqual([1, 4, 7, 13]); // three bytes a character, after <s>
  });

  it('holds documents out by their ids, the same ones whatever else is there', async () => {
    const texts = Array.from({ length: 200 }, (_, i) => `document ${i}.`);
    const heldOut = async (documents: readonly string[]) =>
      (await tokenize(documents, { held_out: 0.2, packing: 'doc-sentences' })).outputs.held_out!.rows();
    const texts200 = (await heldOut(texts)).map((row) => tokenizer.decode(row.input_ids as Uint32Array));
    const texts100 = (await heldOut(texts.slice(0, 100))).map((row) => tokenizer.decode(row.input_ids as Uint32Array));
    expect(texts200.length).toBeGreaterThan(20);
    expect(texts200.length).toBeLessThan(60);
    expect(texts200.slice(0, texts100.length)).toEqual(texts100);
  });

  it.each(['segment-pair', 'sentence-pair'])(
    '%s: pairs with a label each, which static masking hands on',
    async (packing) => {
      const texts = Array.from({ length: 12 }, (_, i) =>
        'The first. The second. The third one. The last.'.replaceAll('The', `The ${i}`),
      );
      const { outputs, metrics } = await tokenize(texts, { packing, max_length: 64, held_out: 0.3 });
      const rows = await outputs.sequences!.rows();
      const labels = rows.map(({ next_sentence_label }) => next_sentence_label as number);
      expect(new Set(labels)).toEqual(new Set([0, 1]));
      for (const { input_ids } of rows)
        expect([...(input_ids as Uint32Array)].filter((id) => id === 2)).toHaveLength(3);
      const heldOut = await outputs.held_out!.rows();
      expect(metrics['pairs.from_elsewhere']).toBe(
        [...rows, ...heldOut].filter(({ next_sentence_label }) => next_sentence_label === 1).length,
      );
      const masked = await runInPipeline(
        'mask',
        { mode: 'static', copies: 2 },
        { sequences: outputs.sequences!, tokenizer: tokenizerArtifact },
      );
      expect((await masked.outputs.masked!.rows()).map(({ next_sentence_label }) => next_sentence_label)).toEqual([
        ...labels,
        ...labels,
      ]);
    },
  );

  it('gives the same bytes twice', async () => {
    const digests = async () =>
      Object.values((await tokenize(['One. Two.', '三。四。'], { held_out: 0.5 })).outputs).flatMap((output) =>
        output.manifest.files.map((file) => file.digest),
      );
    expect(await digests()).toEqual(await digests());
  });
});
