import { expect, test } from 'vitest';
import { decodeAs, decodeText } from '../../../src/text/encoding/decode.ts';

test.each([
  ['UTF-8', [0xc3, 0xa9], 'é', 'utf-8'],
  ['UTF-8 with a mark', [0xef, 0xbb, 0xbf, 0x61], 'a', 'utf-8'],
  ['UTF-16', [0xff, 0xfe, 0x61, 0], 'a', 'utf-16le'],
  ['windows-1252', [0x93, 0xe9, 0x94], '\u201cé\u201d', 'windows-1252'],
  ['nothing', [], '', 'utf-8'],
])('decodeText: %s', (_, bytes, text, encoding) =>
  expect(decodeText(new Uint8Array(bytes))).toEqual({ text, encoding }),
);

const texts = {
  chinese: '下雨的时候，他喜欢坐在窗前看书。那本书讲的是一个老人和大海的故事。',
  traditional: '下雨的時候，他喜歡坐在窗前看書。那本書講的是一個老人和大海的故事。',
  japanese: '雨の日には、彼は窓のそばで本を読むのが好きだ。それは老人と海の話である。',
  french: "Quand il pleut, il aime s'asseoir près de la fenêtre et lire. Où est passée la mère du garçon ?",
  german: 'Wenn es regnet, sitzt er gern am Fenster und liest über große Bären, schöne Straßen und Füße.',
  english: 'It’s “a café”, he said — and paid £5.',
};

/** Bytes of a text in an encoding, made by asking the decoder what each byte or pair of bytes stands for. */
function encode(text: string, encoding: string): Uint8Array {
  const codes = new Map<string, number[]>();
  const learn = (bytes: number[]): void => {
    const character = decodeAs(new Uint8Array(bytes), encoding);
    if ([...character].length === 1 && !codes.has(character)) codes.set(character, bytes);
  };
  for (let lead = 0; lead < 256; lead++) learn([lead]);
  if (!encoding.startsWith('windows'))
    for (let lead = 0x81; lead < 255; lead++) for (let trail = 0x40; trail < 255; trail++) learn([lead, trail]);
  return new Uint8Array([...text].flatMap((character) => codes.get(character) ?? [63]));
}

test.each([
  ['gb18030', texts.chinese],
  ['gb18030', `Chapter 1\n\n${'An English preface. '.repeat(5000)}${texts.chinese}`],
  ['big5', texts.traditional],
  ['shift_jis', texts.japanese],
  ['euc-jp', texts.japanese],
  ['windows-1252', texts.french],
  ['windows-1252', texts.german],
  ['windows-1252', texts.english],
])('guesses %s', (encoding, text) => {
  const decoded = decodeText(encode(text, encoding));
  expect(decoded.encoding).toBe(encoding);
  expect(decoded.text === text).toBe(true);
});

test('bytes that do not fit the likeliest encoding are read as windows-1252', () => {
  const bytes = encode(texts.chinese.repeat(10), 'gb18030');
  expect(decodeText(new Uint8Array([...bytes, 0xff])).encoding).toBe('windows-1252');
});
