import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitSentences } from '../../../src/text/segmentation/sentences.ts';

it.each([
  ['plain English', 'It rained. We left! Why? No idea.', ['It rained.', ' We left!', ' Why?', ' No idea.']],
  [
    'abbreviations and initials',
    'Mr. Smith met J. Doe, e.g. in the U.S. Navy. Then he left.',
    ['Mr. Smith met J. Doe, e.g. in the U.S. Navy.', ' Then he left.'],
  ],
  ['numbers', 'Pi is 3.14 or so. 42 is not.', ['Pi is 3.14 or so.', ' 42 is not.']],
  [
    'quotes and brackets',
    '"Go." He went. (She stayed.) "Oh?" they said.',
    ['"Go."', ' He went.', ' (She stayed.)', ' "Oh?" they said.'],
  ],
  ['lower case after a stop', 'yahoo! is a name... or not', ['yahoo! is a name... or not']],
  ['Chinese', '我爱北京。你呢？“好！”他说。', ['我爱北京。', '你呢？', '“好！”', '他说。']],
  ['paragraphs', 'One.\n\n  Two\r\nthree. Four.\n', ['One.\n', 'Two\n', 'three.', ' Four.']],
  ['nothing', ' \n ', []],
])('splitSentences: %s', (_, text, sentences) => {
  expect(splitSentences(text)).toEqual(sentences);
});

it('loses nothing but white space around line breaks', () => {
  fc.assert(
    fc.property(
      fc
        .array(fc.constantFrom('.', '!', '。', ' ', 'A', 'b', '"', 'Mr', '\n', '我', '…', ')'))
        .map((parts) => parts.join('')),
      (text) => {
        const sentences = splitSentences(text);
        expect(sentences.join('')).toBe(
          text
            .trim()
            .split('\n')
            .map((line) => line.trim())
            .filter((line) => line !== '')
            .join('\n'),
        );
        expect(sentences).not.toContain('');
      },
    ),
  );
});

it.each([
  ['dots', '.'],
  ['dots and spaces', '. '],
  ['closers', '.)'],
  ['capitals', 'A.'],
  ['wide stops', '。'],
])('takes linear time on a run of %s', (_, unit) => {
  const started = performance.now();
  splitSentences(unit.repeat(200_000));
  expect(performance.now() - started).toBeLessThan(15_000);
});
