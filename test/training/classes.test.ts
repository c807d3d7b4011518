import { describe, expect, test } from 'vitest';
import { decideClasses } from '../../src/training/classes.ts';

const mnli = ['CONTRADICTION', 'NEUTRAL', 'ENTAILMENT'];

describe("a model's ids are kept", () => {
  test.each([
    { name: 'when names are the same', known: mnli, texts: ['NEUTRAL', 'ENTAILMENT', 'CONTRADICTION', 'NEUTRAL'] },
    { name: 'when only their case differs', known: mnli, texts: ['entailment', 'contradiction', 'neutral'] },
    { name: 'when texts spell a name in two ways', known: ['No', 'Yes'], texts: ['YES', 'yes', 'no'] },
    { name: 'when classes differ in case only', known: ['b', 'B', 'a'], texts: ['a', 'b', 'B'] },
    { name: 'when it has no names, and texts say ids', known: ['LABEL_0', 'LABEL_1'], texts: ['1', '0'] },
    {
      name: 'when it has no names, and texts have these',
      known: ['LABEL_0', 'LABEL_1'],
      texts: ['LABEL_1', 'label_0'],
    },
    { name: 'and not sorted when they are numbers', known: ['10', '9', '8'], texts: ['8', '9', '10'] },
  ])('$name', ({ known, texts }) => {
    const classes = decideClasses(texts, known);
    expect(classes).toMatchObject({ labels: known, areTheModels: true });
    for (const text of texts) {
      const id = classes.idOf(text)!;
      expect([known[id], known[id]!.toLowerCase(), String(id)]).toContain(
        known.includes(text) ? text : text.toLowerCase(),
      );
    }
    expect(classes.idOf('another')).toBeUndefined();
    expect(classes.note).toMatch(/^the classes are the model's, with its ids and its head: 0 /);
  });
});

describe('classes are numbered anew', () => {
  test.each([
    {
      name: 'for a model without any',
      known: [],
      texts: ['b', 'a', 'b'],
      labels: ['a', 'b'],
      note: /^the classes are 0 a, 1 b$/,
    },
    {
      name: 'when a name differs',
      known: ['negative', 'neutral', 'positive'],
      texts: ['negative', 'mixed', 'positive'],
      labels: ['mixed', 'negative', 'positive'],
      note: /model has other classes \(negative, neutral, positive\), .* are 0 mixed, 1 negative, 2 positive$/,
    },
    {
      name: 'when texts have more',
      known: ['a', 'b'],
      texts: ['a', 'b', 'c'],
      labels: ['a', 'b', 'c'],
      note: /new one/,
    },
    { name: 'when texts lack one', known: ['a', 'b', 'c'], texts: ['a', 'b'], labels: ['a', 'b'], note: /new one/ },
    {
      name: 'when a name of the model is of two ids without case',
      known: ['b', 'B', 'a'],
      texts: ['A', 'b', 'B'],
      labels: ['A', 'B', 'b'],
      note: /new one/,
    },
    {
      name: 'when a model has a name twice',
      known: ['a', 'a', 'b'],
      texts: ['a', 'b'],
      labels: ['a', 'b'],
      note: /new one/,
    },
    {
      name: 'by their ids only where it has no names',
      known: ['x', 'y'],
      texts: ['1', '0'],
      labels: ['0', '1'],
      note: /new one/,
    },
    {
      name: 'in order of their values when all are numbers',
      known: [],
      texts: Array.from({ length: 12 }, (_, i) => String(11 - i)),
      labels: Array.from({ length: 12 }, (_, i) => String(i)),
      note: /^the classes are 0 0, 1 1, 2 2 and 9 more$/,
    },
    {
      name: 'with signs and fractions',
      known: [],
      texts: ['10', '-1', '2.5', '1e1'],
      labels: ['-1', '2.5', '10', '1e1'],
      note: /0 -1/,
    },
    {
      name: 'in order of their names when one is no number',
      known: [],
      texts: ['10', '9', ''],
      labels: ['', '10', '9'],
      note: /1 10/,
    },
  ])('$name', ({ known, texts, labels, note }) => {
    const classes = decideClasses(texts, known);
    expect(classes).toMatchObject({ labels, areTheModels: false });
    for (const text of texts) expect(labels[classes.idOf(text)!]).toBe(text);
    expect(classes.note).toMatch(note);
  });
});
