import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer } from '../../src/text/bpe/files.ts';
import { runInPipeline } from '../rig/composite.ts';
import { datasetOf, document } from '../rig/run-stage.ts';

const train = async (texts: readonly (readonly string[])[], config: Record<string, unknown>) => {
  const documents = await Promise.all(
    texts.map((corpus) =>
      datasetOf(
        'documents',
        corpus.map((text, i) => document({ id: `t:${i}`, text })),
      ),
    ),
  );
  return runInPipeline('train-tokenizer', config, { documents });
};

it('trains on all corpora and writes a folder that loads again', async () => {
  const { outputs, metrics } = await train([['the cat and the hat', 'the cat'], ['the mat']], { vocab_size: 270 });
  const folder = outputs.tokenizer!.folder;
  expect(outputs.tokenizer!.manifest.files.map((file) => file.path)).toEqual([
    'merges.txt',
    'special_tokens_map.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'vocab.json',
  ]);
  const tokenizer = new Tokenizer(loadTokenizer(folder));
  expect(tokenizer.vocabSize).toBe(metrics.vocab_size);
  expect(metrics.bytes_per_token).toBeGreaterThan(1.5);
  expect(tokenizer.decode(tokenizer.encode('the mat — 垫子'))).toBe('the mat — 垫子');
  expect(readFileSync(join(folder, 'merges.txt'), 'utf8')).toMatch(/^#version: 0.2\na t\n/);
});

it('gives the same bytes twice', async () => {
  const texts = [['one two three two one', 'three two one']];
  const digests = async () =>
    (await train(texts, { vocab_size: 280 })).outputs.tokenizer!.manifest.files.map((file) => file.digest);
  expect(await digests()).toEqual(await digests());
});

it('learns from an even sample of each corpus', async () => {
  const { metrics, steps } = await train([Array(10).fill('aaaa'), Array(10).fill('bbbb')], {
    vocab_size: 300,
    sample: 0.2,
  });
  expect(steps['words']).toMatchObject({ 'documents.in': 20, 'documents.out': 4, 'dropped.not-sampled': 16 });
  expect(metrics.vocab_size).toBe(261 + 4); // aa, aaaa, bb, bbbb: both corpora were seen twice
});

it.each([
  ['whitespace', true],
  ['jieba', false],
  ['auto', false],
])('merges across Chinese words with word_segmentation %s: %s', async (word_segmentation, crosses) => {
  const { outputs } = await train([Array(20).fill('我爱北京天安门\nNew York is far')], {
    vocab_size: 400,
    word_segmentation,
  });
  const tokenizer = new Tokenizer(loadTokenizer(outputs.tokenizer!.folder));
  const tokens = (text: string): string[] => [...tokenizer.encode(text)].map((id) => tokenizer.decode([id]));
  expect(tokens('我爱北京天安门')).toEqual(crosses ? ['我爱北京天安门'] : ['我', '爱', '北京', '天安门']);
  expect(tokens('New York is')).toEqual(['New', ' York', ' is']);
});

it('says so when there is no text', async () => {
  await expect(train([['']], {})).rejects.toThrow('no text');
});
