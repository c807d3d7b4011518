import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { WordCounter } from '../../src/text/bpe/count-words.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer, writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { missingModules, runPython } from '../rig/python.ts';

const shared = new URL('../../../shared/data/', import.meta.url).pathname;
const vocabSize = 5000;

const missing = missingModules('tokenizers');

/** Texts that are hard for a tokenizer, and the shared ones where they are. */
const texts = (): string[] => {
  const hard = [
    'Hello world', ' leading, trailing ', "don't I'll we'VE 'tis 's", 'tabs\tand\n\n\nlines \r\n  end  ', '我爱北京天安门。你呢？', 'naïve café e\u0301 ﬁ Ω',
    '👩‍👩‍👧 🇪🇺 \u{1F600}', '\u00a0\u3000\u2003wide\u0085next\u2028line\ufeffbom\u200bzero', '3.14 ½ ٣٤ Ⅷ x² 10³', 'a'.repeat(500), ' '.repeat(300), '='.repeat(333), 'ab'.repeat(99), '\u0000\u0001\u007f', '', 'a  <mask> b<mask>', '</s> x <s><pad>y <unk>',
  ];
  const files = ['text/wikitext-2-valid.txt', 'books/the-devils-dictionary.txt', 'chinese/cmrc2018_trial.json'].map((file) => join(shared, file)).filter(existsSync);
  return [...hard, ...files.flatMap((file) => readFileSync(file, 'utf8').split(/(?<=\n)(?=\n)/))];
};

interface Answer {
  readonly plain: number[][];
  readonly with_special: number[];
  readonly vocab: Record<string, number>;
  readonly merges: string[];
  readonly fast: { readonly ids: number[]; readonly plain: number[][]; readonly [name: string]: unknown } | null;
}

describe.skipIf(missing !== undefined)(`against Hugging Face${missing ? ` (skipped: ${missing})` : ''}`, () => {
  const inputs = texts();
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  const words = new WordCounter();
  for (const text of inputs) words.add(text);
  const model = trainBpe(words.counts, { vocabSize, minFrequency: 2 });
  const tokenizer = new Tokenizer(model);
  let answer: Answer;
  beforeAll(() => {
    writeTokenizer(folder, model);
    answer = JSON.parse(runPython([new URL('hf_tokenizer.py', import.meta.url).pathname], { folder, texts: inputs, vocab_size: vocabSize })) as Answer;
  }, 120_000);

  it('trains the same vocabulary and merges', () => {
    const { tokens, merges } = model;
    expect(Object.fromEntries(tokens.slice(0, -1).map((token, id) => [token, id]))).toEqual(answer.vocab);
    expect(merges.map(({ left, right }) => `${tokens[left]} ${tokens[right]}`)).toEqual(answer.merges);
  });

  it('gives the same ids for every text', () => {
    const different = inputs.filter((text, i) => tokenizer.encodeWithSpecialTokens(text).join() !== answer.plain[i]!.join());
    expect(different.map((text) => text.slice(0, 200))).toEqual([]);
  });

  it('loads as RobertaTokenizerFast, with RoBERTa\'s special tokens', () => {
    const { bos, eos, mask } = model.special;
    const expected = [bos, ...tokenizer.encode('Hello'), mask, ...tokenizer.encode(' world'), eos];
    expect(answer.with_special).toEqual(expected);
    if (!answer.fast) return;
    expect(answer.fast).toMatchObject({ ids: expected, ...model.special, size: model.tokens.length, max: 512 });
    answer.fast.plain.forEach((ids, i) => expect(ids).toEqual([...tokenizer.encodeWithSpecialTokens(inputs[i]!)]));
  });

  it('reads its own folder back', () => {
    expect(loadTokenizer(folder)).toEqual(model);
  });
});
