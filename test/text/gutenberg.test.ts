import { describe, expect, test } from 'vitest';
import { readBook } from '../../src/text/gutenberg.ts';
import { joinParagraphs } from '../../src/text/segmentation/paragraphs.ts';

const header = `The Project Gutenberg eBook of A Short Walk

This eBook is for the use of anyone anywhere.

Title: A Short Walk:
       Being an Account of the Hills

Author: Jane Writer

Release date: May 1, 2001 [eBook #4321]

Language: French

`;
const body = `Chapter I

We left the village early in the morning, before anyone else was up and
about, and took the narrow path that leads along the river to the _old_
mill. "Nobody," he said, "walks here any more--it is far too much trou-
ble."

  The hills were grey,
  The hills were long,

[Illustration: the mill]

The end.`;
const licence = '\n\nUpdated editions will replace the previous one.\nSection 1. General Terms';

describe('readBook', () => {
  test.each([
    [
      '2020s marks',
      '*** START OF THE PROJECT GUTENBERG EBOOK A SHORT WALK ***',
      '*** END OF THE PROJECT GUTENBERG EBOOK A SHORT WALK ***',
    ],
    [
      '2000s marks',
      '*** START OF THIS PROJECT GUTENBERG EBOOK A SHORT WALK ***',
      "End of Project Gutenberg's A Short Walk, by Jane Writer\n\n*** END OF THIS PROJECT GUTENBERG EBOOK A " +
        'SHORT WALK ***',
    ],
    [
      'a wrapped start mark',
      '*** START OF THIS PROJECT GUTENBERG EBOOK A SHORT WALK:\nBEING AN ACCOUNT OF THE HILLS ***',
      '***END OF THE PROJECT GUTENBERG EBOOK A SHORT WALK***',
    ],
    [
      '1990s small print',
      '*END*THE SMALL PRINT! FOR PUBLIC DOMAIN ETEXTS*Ver.04.29.93*END*',
      'End of The Project Gutenberg Etext of A Short Walk',
    ],
    [
      'DOS line ends and credits',
      '*** START OF THIS PROJECT GUTENBERG EBOOK X ***\n\nProduced by Somebody and\nthe Online Proofreading Team',
      '*** END OF THIS PROJECT GUTENBERG EBOOK X ***',
    ],
  ])('keeps just the book: %s', (name, start, end) => {
    let raw = `${header}${start}\n\n\n${body}\n\n${end}${licence}`;
    if (name.startsWith('DOS')) raw = raw.replaceAll('\n', '\r\n');
    const book = readBook(raw);
    expect(book).toMatchObject({
      title: 'A Short Walk: Being an Account of the Hills',
      author: 'Jane Writer',
      lang: 'fr',
      ebook: '4321',
    });
    expect(book.text.split('\n\n')).toEqual([
      'Chapter I',
      'We left the village early in the morning, before anyone else was up and about, and took the narrow path ' +
        'that leads along the river to the old mill. "Nobody," he said, "walks here any more--it is far too much ' +
        'trou-ble."',
      'The hills were grey,\nThe hills were long,',
      'The end.',
    ]);
  });

  test('leaves a book from elsewhere whole', () => {
    const book = readBook('A tale\n\nEnd of the tale.\n\nTitle: not a header _really_\n');
    expect(book).toEqual({
      text: 'A tale\n\nEnd of the tale.\n\nTitle: not a header _really_',
      title: '',
      author: '',
      lang: '',
      ebook: '',
    });
  });
});

describe('joinParagraphs', () => {
  const prose =
    'it was the best of times it was the\nworst of times and the season of light\nwas also the season of ' +
    'darkness again\nand so on.';
  test.each([
    ['hard-wrapped prose', prose, prose.replaceAll('\n', ' ')],
    [
      'short lines beside prose',
      `${prose}\n\nRoses are red,\nViolets are blue,\nSugar.`,
      `${prose.replaceAll('\n', ' ')}\n\nRoses are red,\nViolets are blue,\nSugar.`,
    ],
    [
      'unwrapped lines',
      `${'a long sentence '.repeat(10)}\n${'another one here '.repeat(10)}`,
      `${'a long sentence '.repeat(10).trim()}\n${'another one here '.repeat(10).trim()}`,
    ],
    ['blank lines with spaces', 'one\n \t\n\n\ntwo', 'one\n\ntwo'],
    ['nothing', ' \n\n ', ''],
  ])('%s', (_, raw, expected) => expect(joinParagraphs(raw)).toBe(expected));
});
