/** Pages that cleaning should drop: stubs, lorem ipsum, code, numbers, repeated lines, other languages. */
const repeat = (text, n) => Array.from({ length: n }, () => text).join('\n\n');

export const junk = [
  { title: 'Test page', text: 'test test hello' },
  {
    title: 'Sandbox',
    text:
      'This is the page on which new writers may try what they have learned, and nobody will be angry with them. ' +
      'The text below is not about anything. Lorem ipsum dolor sit amet is what printers write when they have ' +
      'nothing to say. You can change it, and you can put a picture beside it. Please do not write your name and ' +
      'the name of your school here. At the end of every month the page is made empty again by one of the older ' +
      'writers.',
  },
  {
    title: 'Bus times',
    text: Array.from(
      { length: 60 },
      (_, i) => `${6 + (i % 14)}:${String((i * 7) % 60).padStart(2, '0')} ${100 + i * 3} # # … ${i * 17}`,
    ).join('\n\n'),
  },
  {
    title: 'Buy now',
    text: repeat('Buy the best hats in the vale at the best price and have them sent to you today!', 25),
  },
  {
    title: 'Counter script',
    text:
      'The counter on the front page of the encyclopedia was written by a reader from Garnmouth in one evening. It ' +
      'adds one for every visitor and shows the number in a small box. The important line is <code>function ' +
      'count(n) { return n + 1; }</code>, which has not been changed since then. It is called from the page with ' +
      'the name of the reader. The box is green when the number is even and yellow when it is odd. Nobody ' +
      'remembers what the number was when it began.',
  },
  {
    title: 'What might come',
    text: Array.from(
      { length: 9 },
      (_, i) =>
        'And then, in the ' +
        `${['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth'][i]} ` +
        `${['house', 'street', 'garden', 'field', 'wood', 'mill', 'boat', 'tower', 'inn'][i]} of the town, ` +
        'somebody began to wonder and to ask and never came to the end of it…',
    ).join('\n\n'),
  },
  { title: 'Stub of the east', text: "'''Stub of the east''' is a stub. {{stub}}" },
  {
    title: 'List of short words',
    text: Array.from({ length: 70 }, (_, i) => `* ${['ab', 'ox', 'go', 'it', 'we'][i % 5]}`).join('\n'),
  },
  {
    title: 'Die alte Mühle',
    text:
      'Die alte Mühle steht seit vielen Jahren am Ufer des Flusses. Der Müller kam früh am Morgen und ging spät am ' +
      'Abend nach Hause. Seine Kinder spielten am Wasser, und die Nachbarn brachten das Korn mit dem Wagen. Im ' +
      'Winter war der Fluss gefroren, und das große Rad stand still. Dann saß der Müller am Ofen und erzählte ' +
      'Geschichten von früher. Im Frühling begann die Arbeit wieder, und das ganze Dorf freute sich über das ' +
      'frische Brot. Heute wohnt niemand mehr in der Mühle, aber viele Besucher kommen im Sommer und sehen sich ' +
      'das alte Rad an.',
  },
  {
    title: 'Le vieux pont',
    text:
      'Le vieux pont du village est fait de pierres grises et il a trois arches. Chaque matin, les paysans passent ' +
      'avec leurs charrettes pour aller au marché. Les enfants aiment regarder les poissons dans la rivière, ' +
      'surtout en été quand l’eau est claire. Une grande tempête a détruit une partie du pont il y a cent ans, ' +
      'mais les habitants l’ont reconstruit tous ensemble. Aujourd’hui on y célèbre une petite fête avec de la ' +
      'musique, du pain et du vin. Les touristes prennent des photos et les vieux racontent des histoires.',
  },
  { title: 'Signs', text: `${'@@@ ### %%% $$$ &&& *** +++ === '.repeat(20)}` },
].map((entry, i) => ({ id: 9000 + i, ...entry }));

export const otherNamespaces = [
  {
    id: 9500,
    ns: 10,
    title: 'Template:Vale of Mosse',
    text:
      '{{navbox|name=Vale of Mosse|title=[[Vale of Mosse]]|list1=[[Aldmere]] · ' +
      '[[Saltby]]}}<noinclude>{{documentation}}</noinclude>',
  },
  { id: 9501, ns: 10, title: 'Template:Small', text: '<small>{{{1}}}</small>' },
  {
    id: 9502,
    ns: 14,
    title: 'Category:Towns of the Vale of Mosse',
    text: 'Towns of the vale.\n[[Category:Vale of Mosse]]',
  },
  {
    id: 9503,
    ns: 4,
    title: 'Mossepedia:About',
    text: 'Mossepedia is the encyclopedia of a vale that does not exist. Every word was written for this project.',
  },
  {
    id: 9504,
    ns: 6,
    title: 'File:Aldmere.jpg',
    text: '== Summary ==\n{{Information|description=Aldmere in spring|author=Sample writer}}',
  },
  { id: 9505, ns: 2, title: 'User:Sample writer', text: 'I write about rivers. {{User en}}' },
];
