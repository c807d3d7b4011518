import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { bunzip2 } from '../../src/formats/bzip2.ts';
import { WordCounter } from '../../src/text/bpe/count-words.ts';
import { Tokenizer } from '../../src/text/bpe/encode.ts';
import { loadTokenizer, writeTokenizer } from '../../src/text/bpe/files.ts';
import { trainBpe } from '../../src/text/bpe/train.ts';
import { root } from '../rig/project.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { sharedData, sharedDataMissing } from '../rig/shared-data.ts';
import { absent, because } from '../rig/skipped.ts';

const vocabSize = 5000;

const missing = missingModules('tokenizers');

/** Texts that are hard for a tokenizer. */
const hard = [
  'Hello world',
  ' leading, trailing ',
  "don't I'll we'VE 'tis 's",
  'tabs\tand\n\n\nlines \r\n  end  ',
  '我爱北京天安门。你呢？',
  'naïve café e\u0301 ﬁ Ω',
  '👩‍👩‍👧 🇪🇺 \u{1F600}',
  '\u00a0\u3000\u2003wide\u0085next\u2028line\ufeffbom\u200bzero',
  '3.14 ½ ٣٤ Ⅷ x² 10³',
  'a'.repeat(500),
  ' '.repeat(300),
  '='.repeat(333),
  'ab'.repeat(99),
  '\u0000\u0001\u007f',
  '',
  'a  <mask> b<mask>',
  '</s> x <s><pad>y <unk>',
];
/** A megabyte without a word's end. */
const runs = ['a', '=', ' ', '\n', '我', 'ab'].map((unit) =>
  unit.repeat(Math.ceil((1 << 20) / Buffer.byteLength(unit))),
);

/** Files of ours, then real ones where they are; `learn` are those to train on, too. */
const corpora = [
  { folder: join(root, 'samples'), read: /./, learn: /^(?:books|chinese|wikipedia)\// },
  { folder: join(root, 'test/fixtures'), read: /./, learn: /^(?:books|text)\// },
  ...(sharedDataMissing === undefined
    ? [{ folder: sharedData, read: /^(?:\w+|common-crawl)\/[^/]+$/, learn: /^(?:text|books|chinese)\// }]
    : []),
];
/** Each decompressed, as text in pieces of some lines; what is not UTF-8 in web pages is U+FFFD. */
const files: { readonly name: string; readonly pieces: readonly string[]; readonly isLearned: boolean }[] = [];
for (const { folder, read, learn } of corpora)
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => read.test(path) && /\.(?:txt|json|tsv|xml|bz2|gz)$/.test(path))
    .sort()) {
    const bytes = readFileSync(join(folder, name));
    const text = (
      name.endsWith('.gz') ? gunzipSync(bytes) : name.endsWith('.bz2') ? await unpacked(bytes) : bytes
    ).toString('utf8');
    files.push({ name, pieces: text.match(/(?:[^\n]*\n){1,200}|[^\n]+$/g) ?? [], isLearned: learn.test(name) });
  }

async function unpacked(bytes: Buffer): Promise<Buffer> {
  async function* chunks() {
    yield bytes;
  }
  const parts: Uint8Array[] = [];
  for await (const part of bunzip2(chunks(), 'a file')) parts.push(part);
  return Buffer.concat(parts);
}

interface Answer {
  readonly plain: number[][];
  readonly with_special: number[];
  readonly vocab: Record<string, number>;
  readonly merges: string[];
  readonly fast: { readonly ids: number[]; readonly plain: number[][]; readonly [name: string]: unknown } | null;
}

describe.skipIf(missing !== undefined)(`against Hugging Face${because(missing)}`, () => {
  const learned = [...hard, ...files.flatMap(({ pieces, isLearned }) => (isLearned ? pieces : []))];
  const inputs = [...hard, ...runs, ...files.flatMap(({ pieces }) => pieces)];
  const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
  const words = new WordCounter();
  for (const text of learned) words.addText(text);
  const model = trainBpe(words.counts, { vocabSize, minFrequency: 2 });
  const tokenizer = new Tokenizer(model);
  let answer: Answer;
  beforeAll(() => {
    writeTokenizer(folder, model);
    answer = JSON.parse(
      runPython([new URL('hf_tokenizer.py', import.meta.url).pathname], {
        folder,
        texts: inputs,
        learned,
        vocab_size: vocabSize,
      }),
    ) as Answer;
  }, 300_000);

  it('trains the same vocabulary and merges', () => {
    const { tokens, merges } = model;
    expect(Object.fromEntries(tokens.slice(0, -1).map((token, id) => [token, id]))).toEqual(answer.vocab);
    expect(merges.map(({ left, right }) => `${tokens[left]} ${tokens[right]}`)).toEqual(answer.merges);
  });

  const differing = (pieces: readonly string[], from: number): string[] =>
    pieces
      .filter((text, i) => tokenizer.encodeWithSpecialTokens(text).join() !== answer.plain[from + i]!.join())
      .map((text) => text.slice(0, 200));

  it('gives the same ids for hard texts', () => expect(differing(hard, 0)).toEqual([]));
  it('gives the same ids for a megabyte of one letter', () => expect(differing(runs, hard.length)).toEqual([]));

  let from = hard.length + runs.length;
  for (const { name, pieces } of files) {
    const start = from;
    from += pieces.length;
    it(`gives the same ids for ${name}`, () => expect(differing(pieces, start)).toEqual([]), 60_000);
  }

  if (sharedDataMissing !== undefined) absent('gives the same ids for real files', sharedDataMissing);

  it("loads as RobertaTokenizerFast, with RoBERTa's special tokens", () => {
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
