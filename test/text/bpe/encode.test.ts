import fc from 'fast-check';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { WordCounter } from '../../../src/text/bpe/count-words.ts';
import { Tokenizer } from '../../../src/text/bpe/encode.ts';
import { loadTokenizer, writeTokenizer } from '../../../src/text/bpe/files.ts';
import { pretokenize } from '../../../src/text/bpe/pretokenize.ts';
import { trainBpe } from '../../../src/text/bpe/train.ts';

const model = trainBpe(
  new Map([
    ['hug', 10],
    ['pug', 5],
    ['pun', 12],
    ['bun', 4],
    ['hugs', 5],
    ['aaaaaaaa', 9],
    [' hug', 3],
  ]),
  { vocabSize: 280, minFrequency: 1 },
);
const tokenizer = new Tokenizer(model);
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(' ', '\n', "'", "'s", "'ll", 'hug', '1', '½', '我', '\u00a0', '\ufeff', '\u0085', '😀', '\u0301'),
      fc.string({ unit: 'binary', maxLength: 4 }),
    ),
  )
  .map((parts) => parts.join(''));

describe('pretokenize', () => {
  it("cuts as GPT-2's pattern does", () => {
    const pattern =
      /'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;
    fc.assert(
      fc.property(anyText, (text) => {
        expect(pretokenize(text)).toEqual(text.match(pattern) ?? []);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('Tokenizer', () => {
  it('applies merges by rank', () => {
    const spell = (text: string): string[] => Array.from(tokenizer.encode(text), (id) => model.tokens[id]!);
    expect(spell('hugpun')).toEqual(['hug', 'pun']);
    expect(spell('unhugs')).toEqual(['un', 'hugs']);
    expect(spell(' hug hugs')).toEqual(['Ġhug', 'Ġ', 'hugs']);
  });

  it('gives any text back', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        expect(tokenizer.decode(tokenizer.encode(text))).toBe(Buffer.from(text).toString());
      }),
    );
  });

  it('merges as a plain search for the best pair does, on any word', () => {
    const ranks = new Map(model.merges.map((merge, rank) => [`${merge.left} ${merge.right}`, { rank, id: merge.id }]));
    const plain = (word: string): number[] => {
      const ids = Array.from(Buffer.from(word), (byte) => model.tokens.indexOf(String.fromCharCode(byte)));
      for (;;) {
        let best: { rank: number; id: number; at: number } | undefined;
        for (let at = 0; at + 1 < ids.length; at++) {
          const merge = ranks.get(`${ids[at]} ${ids[at + 1]}`);
          if (merge && (!best || merge.rank < best.rank)) best = { ...merge, at };
        }
        if (!best) return ids;
        ids.splice(best.at, 2, best.id);
      }
    };
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('a', 'h', 'u', 'g', 'p', 'n', 's', 'b'), minLength: 1, maxLength: 60 }),
        (word) => {
          expect([...tokenizer.encode(word)]).toEqual(plain(word));
        },
      ),
      { numRuns: 500 },
    );
  });

  it('takes no special token from text, unless asked to', () => {
    expect(tokenizer.encode('</s>')).not.toContain(2);
    expect([...tokenizer.encodeWithSpecialTokens('hug <mask></s>')]).toEqual([
      ...tokenizer.encode('hug'),
      model.special.mask,
      2,
    ]);
  });

  it.each([
    ['letters', 'a'],
    ['spaces', ' '],
    ['punctuation', '='],
    ['alternating', 'hu'],
  ])('takes about linear time on a run of %s', (_, unit) => {
    const started = process.cpuUsage();
    expect(tokenizer.decode(tokenizer.encodeWithSpecialTokens(unit.repeat(1 << 20)))).toHaveLength(
      (1 << 20) * unit.length,
    );
    expect(process.cpuUsage(started).user).toBeLessThan(5_000_000); // 0.3 s; if it grew with the square, minutes
  });
});

describe('WordCounter', () => {
  it('forgets the rarest words when there are too many', () => {
    const counter = new WordCounter(3);
    counter.addText('a a a');
    counter.addText('b c d e');
    expect(Object.fromEntries(counter.counts)).toEqual({ ' a': 2 });
  });
});

describe('loadTokenizer', () => {
  it('reads vocab.json and merges.txt when there is no tokenizer.json', () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
    writeTokenizer(folder, model);
    const legacy = mkdtempSync(join(tmpdir(), 'tokenizer-'));
    for (const name of ['vocab.json', 'merges.txt'])
      writeFileSync(join(legacy, name), readFileSync(join(folder, name)));
    expect(loadTokenizer(legacy)).toEqual(model);
    expect(loadTokenizer(folder)).toEqual(model);
  });

  it.each([
    ['an empty folder', {}, 'has neither tokenizer.json'],
    [
      'a WordPiece model',
      { 'tokenizer.json': '{"model":{"type":"WordPiece"}}' },
      'not a byte-level BPE (model WordPiece',
    ],
    ['a cut-off file', { 'tokenizer.json': '{"model":' }, 'cannot be read as JSON'],
    ['no special tokens', { 'vocab.json': '{"a":0}', 'merges.txt': '' }, 'has no token "<s>"'],
    [
      'a merge of unknown tokens',
      { 'vocab.json': '{"a":0}', 'merges.txt': '#version: 0.2\na b\n' },
      'has no token "b"',
    ],
  ])('refuses %s', (_, files, message) => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
    expect(() => loadTokenizer(folder)).toThrow(message);
  });
});
