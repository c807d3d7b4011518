import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Tokenizer } from '../../../src/text/bpe/encode.ts';
import { loadTokenizer, writeTokenizer } from '../../../src/text/bpe/files.ts';
import { readTokenizer } from '../../../src/text/bpe/read-folder.ts';
import { segmentMarker, whitespaceMarker } from '../../../src/text/segmentation/words.ts';
import { readable, refused, texts, tokenizerFolder, withSpecials } from '../../rig/tokenizer-folders.ts';

/** What transformers' AutoTokenizer gave for each folder; `test/conformance/tokenizer-folders.test.ts` compares. */
const recorded = JSON.parse(readFileSync(new URL('hub-folders.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>;

describe.each(readable)('a tokenizer folder with $name', ({ name, change, note, onlyHere, masksAsBefore }) => {
  const folder = tokenizerFolder(change);
  const { model, notes } = readTokenizer(folder);
  const tokenizer = new Tokenizer(model);
  const spelled = (ids: Iterable<number>): string => [...ids].join(' ');

  it('gives the ids that AutoTokenizer gives', () => {
    const answer = recorded[onlyHere ? readable[0]!.name : name]!;
    expect(model.tokens.length).toBe(Number(answer.size));
    for (const [i, text] of texts.entries()) expect(spelled(tokenizer.encode(text)), text).toBe(answer[`text ${i}`]);
    for (const [i, text] of masksAsBefore ? [] : withSpecials.entries())
      expect(spelled(tokenizer.encodeWithSpecialTokens(text)), text).toBe(answer[`special ${i}`]);
    const [first, second] = [texts[0]!, texts[1]!].map((text) => [...tokenizer.encode(text)]) as [number[], number[]];
    if (note === undefined || masksAsBefore) {
      expect(spelled([0, ...first, 2])).toBe(answer.single);
      expect(spelled([0, ...first, 2, 2, ...second, 2])).toBe(answer.pair);
    }
  });

  it('says what of it is read in another way', () => {
    expect(notes.length).toBe(note === undefined ? 0 : 1);
    if (note !== undefined) expect(notes[0]).toMatch(note);
  });

  it('is the same when it is written and read again', () => {
    const copy = mkdtempSync(join(tmpdir(), 'tokenizer-'));
    writeTokenizer(copy, model);
    expect(readTokenizer(copy)).toEqual({ model, notes: [] });
    expect(existsSync(join(copy, 'tokenizer.json'))).toBe(true);
  });

  it('says where each token ends', () => {
    for (const text of texts) {
      const ids = tokenizer.encode(text);
      const ends = tokenizer.byteEnds(text, ids);
      expect(ends.length).toBe(ids.length);
      expect(ends.at(-1) ?? 0).toBe(Buffer.byteLength(text));
      const bytes = Buffer.from(text);
      for (let i = 0; i < ids.length; i++) {
        const covered = bytes.subarray(ends[i - 1] ?? 0, ends[i]).toString();
        // White space before a text, or taken in by an added token, is the token's without being in its spelling.
        if (!covered.includes('\uFFFD')) expect(tokenizer.decode([ids[i]!]).trim()).toBe(covered.trim());
      }
    }
  });
});

describe('a tokenizer folder is refused with its file named for', () => {
  it.each(refused)('$name', ({ change, message }) => {
    const folder = tokenizerFolder(change);
    expect(() => loadTokenizer(folder)).toThrow(message);
    try {
      loadTokenizer(folder);
    } catch (error) {
      expect(error).toMatchObject({ diagnostic: { code: 'unsupported-tokenizer', help: expect.stringMatching(/./) } });
    }
  });
});

describe('words and added tokens', () => {
  const { model } = readTokenizer(
    tokenizerFolder(({ json }) => {
      json.added_tokens.push({ ...json.added_tokens[0], id: 340, content: '北京', special: false, lstrip: true });
    }),
  );
  const tokenizer = new Tokenizer(model);
  const spelled = (text: string, starts: readonly number[]): string[] => {
    const ends = tokenizer.byteEnds(text, tokenizer.encode(text));
    const at = [...starts.map((start) => ends[start - 1] ?? 0), Buffer.byteLength(text)];
    return at.slice(1).map((end, i) => Buffer.from(text).subarray(at[i], end).toString());
  };

  it('an added token begins a word, and so does what comes after it', () => {
    const text = 'the old 北京bridge';
    expect(spelled(text, whitespaceMarker(tokenizer)(text, tokenizer.encode(text)))).toEqual([
      'the',
      ' old',
      ' 北京',
      'bridge',
    ]);
  });

  it("a segmenter's words begin where they begin, after white space that an added token took in, too", () => {
    const text = '我爱   北京天安门。';
    const words = ['我', '爱', ' ', ' ', ' ', '北京', '天安', '门', '。'];
    const starts = segmentMarker(tokenizer, () => words)(text, tokenizer.encode(text));
    expect(spelled(text, starts)).toEqual(['我', '爱', '   北京', '天安', '门', '。']);
  });
});
