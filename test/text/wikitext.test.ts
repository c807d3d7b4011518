import { describe, expect, it } from 'vitest';
import { wikitextToText } from '../../src/text/wikitext/index.ts';

const rows: readonly [what: string, wikitext: string, text: string][] = [
  ['bold and italics', "'''Riga''' is ''the'' '''''capital'''''.", 'Riga is the capital.'],
  ['apostrophe before italics', "dell'''Opera''' e ''l'arte''", "dellOpera e l'arte"],
  ['apostrophe, then italics, mistaken for bold', "L'''Aida'' di Verdi", "L'Aida di Verdi"],
  ['links', '[[Latvia]], [[Riga|the city]], [[dog]]s and [[Help:Links|]]', 'Latvia, the city, dogs and Links'],
  ['pipe trick', '[[Mercury (planet)|]]', 'Mercury'],
  ['categories and interwiki vanish', 'Text[[Category:Cities]]\n[[de:Riga]] [[zh-min-nan:Riga]]', 'Text'],
  ['linked category shows', 'See [[:Category:Cities]].', 'See Category:Cities.'],
  [
    'file with nested captions',
    'A [[File:a.jpg|thumb|A [[cat]] by [[B|[http://x.org c]]] and [[File:b.png|20px]] d]] B',
    'A B',
  ],
  ['file by an alias nobody knows', '[[Attēls:Lion.jpg|thumb|250px|]]Lion', 'Lion'],
  ['external links', 'The [https://example.org site] and [https://example.org].', 'The site and.'],
  ['refs', 'A<ref>x</ref> b<ref name="q" /> c<ref name=z>{{cite web|url=http://y}}</ref>.', 'A b c.'],
  ['what looks like a </ref> but has attributes', 'A<ref>{{cite|x</ref name"q"> y|url=z}}</ref> B', 'A B'],
  ['a forgotten </ref>', 'A<ref>{{cite|x}} B<ref>y</ref> C', 'A B C'],
  ['comments', 'A<!-- x\n<ref> -->B\n<!-- line -->\nC', 'AB C'],
  ['nowiki', "<nowiki>''[[x]]'' {{y}} &amp;</nowiki>", "''[[x]]'' {{y}} &"],
  ['entities', 'A&nbsp;&amp;&nbsp;B &#8211; &#x4e2d; &eacute; &unknown;', 'A & B – 中 é &unknown;'],
  ['entities of HTML 5', '&check; &frac13; &CounterClockwiseContourIntegral; &#150;', '✓ ⅓ ∳ –'],
  ['entities that nobody sees', 'sol&shy;u&#xad;tion&lrm;s &#7;&amp;shy;', 'solutions &shy;'],
  ['escaped tag is text', '&lt;ref&gt; in HTML', '<ref> in HTML'],
  [
    'math',
    'If <math>x^2 \\le \\alpha</math> then <math>\\begin{matrix}a&b\\end{matrix}</math>so.',
    'If x^2 ≤ α then so.',
  ],
  [
    'a formula left out at the end',
    'It is\n:<math>\\begin{matrix}a\\end{matrix}</math>,\nwhere <math>~x~</math> is.',
    'It is\n\nwhere x is.',
  ],
  ['sup and sub', '10<sup>3</sup> m, H<sub>2</sub>O, 1<sup>st</sup>, e<sup>x</sup>', '10³ m, H₂O, 1st, e^x'],
  ['sup within a word', '*Apal<sup>y</sup>un, x<sup>2</sup>y', 'Apalyun, x²y'],
  ['quotes at a tag', "''θ''<sub>''i''</sub> and ''a''<small>''b''</small>", 'θi and ab'],
  ['smaller than', 'a < b and 3<4 > 2', 'a < b and 3<4 > 2'],
  ['html', '<div class="a">One</div><p>Two<br/>three</p>', 'One\n\nTwo\nthree'],
  ['html table', 'A<table><tr><td>x<table></table></td></tr></table>B', 'AB'],
  ['gallery', 'A\n<gallery>\nFile:a.jpg|b\n</gallery>\nB', 'A\n\nB'],
  ['magic words', '__NOTOC__\n{{DEFAULTSORT:Riga}}{{PAGENAME}} is {{lc:BIG}}', 'Title is big'],
  ['table', 'A\n{| class="wikitable"\n! h\n|-\n| a || [[b|c]] {{d|e}}\n{|\n| inner\n|}\n|}\nB', 'A\n\nB'],
  ['table in a template', '{{Infobox|x=\n{|\n| a\n|}\n}}Text', 'Text'],
  ['a table never closed', 'A\n{| class="x"\n| cell || cell\n|-\n\nText after.', 'A\n\nText after.'],
  [
    'headings, lists',
    '== H ==\n* one\n* [[two]]\n\n; term : what\n=== Sub ===\nText',
    'H\n\none\ntwo\n\nterm : what\n\nSub\n\nText',
  ],
  [
    'numbered lists',
    '# one\n# two\n## a\n## b\n#* c\n# three\n\n# four\n#: more\n# five',
    '1. one\n2. two\n1. a\n2. b\nc\n3. three\n\n1. four\nmore\n2. five',
  ],
  ['headings without text', '== A ==\n== B ==\n=== C ===\nText\n== D ==', 'B\n\nC\n\nText'],
  [
    'reference sections',
    'A\n== See also ==\n* x\n=== y ===\nz\n== Life ==\nB\n==References==\n{{reflist}}\n* c',
    'A\n\nLife\n\nB',
  ],
  ['Chinese reference sections', '甲\n== 參考資料 ==\n* 乙\n== 历史 ==\n丙\n== 外部链接 ==\n丁', '甲\n\n历史\n\n丙'],
  ['lines of a paragraph', 'One\ntwo.\n\nThree', 'One two.\n\nThree'],
  ['Chinese lines join without a space', '我爱\n北京', '我爱北京'],
  ['a line with a space before it', 'One\n two\n three', 'One\ntwo\nthree'],
  ['poem', '<poem>\nA\nB\n</poem>', 'A\nB'],
  ['variants', '-{zh-hans:计算机; zh-hant:電腦}-和-{原文}--{H|zh-cn:a;zh-tw:b}-', '计算机和原文'],
  ['variants with flags', '-{A|zh-cn:内存;zh-tw:記憶體}-', '内存'],
  ['no variant', 'a-{{nowrap|b}} c-{d', 'a-b c-{d'],
  [
    'convert',
    '{{convert|5|km|mi}}, {{convert|1|mi}}, {{convert|5|to|10|ft|m|1}}, {{cvt|3|x|4|m2}}',
    '5 kilometres, 1 mile, 5 to 10 feet, 3 × 4 m²',
  ],
  [
    'convert, symbols and digits',
    '{{convert|3003|m|abbr=on}}, {{convert|52419|sqmi}}, {{convert|105|and(-)|130|cm|abbr=on}}, {{convert|20|C}}',
    '3,003 m, 52,419 square miles, 105 and 130 cm, 20 °C',
  ],
  [
    'convert before a noun',
    '{{convert|40|acre|adj=on}} plot, {{convert|100|ft|m|adj=mid|-long}} wall, {{convert|5|ft|11|in|cm}}',
    '40-acre plot, 100-foot-long wall, 5 feet 11 inches',
  ],
  [
    'units nobody listed',
    '{{convert|5|furlong|m}}, {{pop density|3645257|640081.87|km2|prec=1}}',
    '5 furlong, 5.7/km²',
  ],
  [
    'coordinates',
    'at {{coord|12|19|N|70|1|W|type:city}}, {{coord|12.5|-70|display=inline,title}}{{coord|1|N|2|E|display=title}}',
    'at 12°19′N 70°1′W, 12.5°N 70°W',
  ],
  [
    'sounds',
    '({{IPAc-en|US|ˈ|æ|s|k|i}} {{respell|ASS|kee}}; {{IPA-fr|a|lang}}, {{IPA|/eɪ/}}, {{IPA|de|tʃ}})',
    '(/ˈæski/ ASS-kee; [a], /eɪ/, [tʃ])',
  ],
  ['letters', 'the letter {{angbr|a}} and {{script/Arabic|ﷲ}}, {{rtl-lang|ar|الله}}', 'the letter ⟨a⟩ and ﷲ, الله'],
  ['sic', 'the fundamentals {{sic}} of {{sic|teh}} {{sic|thing|hide=y}}', 'the fundamentals [sic] of teh [sic] thing'],
  ['charges', '{{chem|NH|4|+}} {{chem|SO|4|2-}} {{chem2|SO4(2-)}} {{chem2|OH-}}', 'NH₄⁺ SO₄²⁻ SO₄²⁻ OH⁻'],
  [
    'the day of the dump',
    '{{CURRENTMONTHNAME}} {{CURRENTYEAR}}: {{age|1969|12|20}} years ago, aged {{age|1900|5|1|1950|5|1}}',
    'November 2026: 56 years ago, aged 50',
  ],
  ['lang', "{{lang|fr|''bon''}}, {{lang-de|gut}}, {{Vol-lv|labs}}, {{transl|ru|da}}", 'bon, gut, labs, da'],
  ['nihongo', '{{nihongo|Tokyo|東京|Tōkyō}} and {{nihongo|Edo|江戸}}', 'Tokyo (東京, Tōkyō) and Edo (江戸)'],
  ['zh', '({{zh|s=北京|p=Běijīng}})', '(simplified Chinese: 北京; pinyin: Běijīng)'],
  [
    'dates',
    '{{birth date|1950|2|3}}, {{start date|1999|12|31|df=y}}, {{as of|2010|5}}, {{circa|1500}}',
    'February 3, 1950, 31 December 1999, As of May 2010, c. 1500',
  ],
  [
    'numbers',
    '{{frac|1|2}} {{val|1.5|e=3|u=m}} {{chem|H|2|O}} {{formatnum:12345}} {{US$|5}}',
    '1/2 1.5 × 10³ m H₂O 12,345 US$5',
  ],
  ['characters', 'a{{snd}}b{{nbsp}}c {{!}} d', 'a – b c | d'],
  ['nested templates', '{{nowrap|{{lang|fr|{{small|oui}}}}}}', 'oui'],
  ['links and bars in templates', '{{nowrap|[[a|b]] c}}', 'b c'],
  [
    'unknown templates and what they leave',
    'Riga ({{xyz|x}}, {{audio-x|y}}; born 1900) ({{x}}) , said',
    'Riga (born 1900), said',
  ],
  ['infobox', '{{Infobox settlement\n| name = Riga\n| map = {{map|x=[[a|b]]}}\n}}\nRiga.', 'Riga.'],
  ['a template never closed', '{{Infobox\n| name = Riga\n| x = y\nRiga is a city.', 'Infobox Riga is a city.'],
  ['stray ends', 'a }} b ]] c |} d', 'a }} b ]] c |} d'],
  ['a link never closed', 'a [[b c\nd [[e]]', 'a b c d e'],
  ['parameters', '{{{1|x}}} {{{name}}}', 'x'],
  ['quote', '{{quote|To be|Shakespeare}}', 'To be\n— Shakespeare'],
  ['list templates', '{{ubl|a|b}}', 'a\nb'],
];

describe('wikitext', () => {
  it.each(rows)('%s', (_, wikitext, text) =>
    expect(wikitextToText(wikitext, { title: 'Title', date: '2026-11-25' })).toBe(text),
  );

  it('keeps the script that is asked for', () => {
    expect(wikitextToText('-{zh-hans:计算机;zh-hant:電腦}-', { variant: 'zh-tw' })).toBe('電腦');
  });

  it('knows the namespaces of the dump and extra sections', () => {
    expect(
      wikitextToText('A[[Kategoreja:X]]\n== Nūruodis ==\nb', {
        namespaces: new Map([[14, 'Kategoreja']]),
        dropSections: ['Nūruodis'],
      }),
    ).toBe('A');
  });
});

const n = 20_000;
const hostile: readonly [what: string, wikitext: string][] = [
  ['nested templates', `${'{{a|'.repeat(n)}x${'}}'.repeat(n)}`],
  ['nested templates that keep text', `${'{{nowrap|y'.repeat(n)}x${'}}'.repeat(n)}`],
  ['templates never closed', '{{a|b '.repeat(n)],
  ['ends without beginnings', '}} ]] |} }}} }-\n'.repeat(n)],
  ['parameters', `${'{{{a|'.repeat(n)}${'}}}'.repeat(n)}`],
  ['braces', '{'.repeat(10 * n)],
  ['braces, closed', '{'.repeat(5 * n) + '}'.repeat(5 * n)],
  ['tables never closed', '{|\n| a\n'.repeat(n)],
  ['nested tables', `${'{|\n|\n'.repeat(n)}${'|}\n'.repeat(n)}`],
  ['links never closed', '[[a|b '.repeat(n)],
  ['links in templates, crossed', '{{a|[[b|'.repeat(n) + ']]}}'.repeat(n)],
  ['external links', '[http://x '.repeat(n)],
  ['refs never closed', '<ref>a '.repeat(n)],
  ['many tags never closed', '<ref><math><nowiki><gallery><sup>'.repeat(n)],
  ['tags without an end', '<ref '.repeat(n)],
  ['comments never closed', '<!-- '.repeat(n)],
  ['html tables', '<table>'.repeat(n)],
  ['variants', '-{a|'.repeat(n)],
  ['quotes', "'' ''' '''''".repeat(n)],
  ['one line of quotes', "'".repeat(10 * n)],
  ['equals signs', '='.repeat(10 * n)],
  ['spaces and brackets', '( '.repeat(n) + ' ,;'.repeat(n)],
  ['white space', ' '.repeat(10 * n) + '{|' + ' '.repeat(10 * n)],
  ['headings', '== a ==\n'.repeat(n)],
  ['deeper and deeper headings', '=a=\n==b==\n===c===\n'.repeat(n)],
  ['underscores', '_'.repeat(10 * n)],
  ['ampersands', '&a'.repeat(n)],
  ['numbered lists within lists', Array.from({ length: 2000 }, (_, i) => `${'#'.repeat(i)} a\n`).join('')],
  [
    'coordinates and conversions',
    `{{coord${'|1|N'.repeat(n)}}}{{convert${'|1|to'.repeat(n)}}}{{IPAc-en${'|a'.repeat(n)}}}`,
  ],
  ['math', `<math>${'{'.repeat(190)}</math>`.repeat(n / 10)],
];

it.each(hostile)('bounded time: %s', (_, wikitext) => {
  const start = process.cpuUsage();
  wikitextToText(wikitext);
  // Linear takes 10 to 500 ms of the processor's time; quadratic would take minutes.
  expect(process.cpuUsage(start).user).toBeLessThan(3_000_000);
});
