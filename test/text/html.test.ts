import { describe, expect, test } from 'vitest';
import { decodeHtml } from '../../src/text/html/charset.ts';
import { extractMainText } from '../../src/text/html/main-text.ts';

const one = 'The first paragraph is a sentence that is long enough to be taken for prose by anyone who reads it.';
const two = 'The second paragraph goes on in the same way, so that the two of them make up what a page is about.';
const both = `${one}\n\n${two}`;
const links = (count: number) =>
  Array.from({ length: count }, (_, i) => `<a href="/${i}">Section number ${i}</a>`).join(' | ');

describe('extractMainText', () => {
  test.each<[string, string, string]>([
    ['paragraphs', `<p>${one}</p><p>${two}</p>`, both],
    ['paragraphs without end tags', `<p>${one}<p>${two}`, both],
    ['divs and double line breaks', `<div>${one}<br> <br/>${two}</div>`, both],
    [
      'inline markup and entities',
      '<p>The <b>caf&eacute;</b> &amp; the <i>bar</i>&nbsp;are&#32;open<!-- not --> all day, as every&shy;body ' +
        'knows.</p>',
      'The café & the bar are open all day, as everybody knows.',
    ],
    ['line ends between inline elements', `<p><b>${one}</b>\n<i>${two}</i></p>`, `${one} ${two}`],
    ['a heading before prose, not after it', `<h1>Title</h1><p>${one}</p><h2>Next</h2>`, `Title\n\n${one}`],
    [
      'a list',
      `<p>${one}</p><ul><li>a short item<li>another item</ul><p>${two}</p>`,
      `${one}\n\na short item\nanother item\n\n${two}`,
    ],
    ['a table row by row', `<table><tr><td>${one}</td></tr><tr><th>Height<td>12 m</tr></table>`, `${one}\nHeight 12 m`],
    ['preformatted lines', `<pre>${one}\n  ${two}</pre>`, `${one}\n${two}`],
    [
      'scripts, styles and hidden text',
      `<script>if (a < b) "<p>${one}</p>"</script><style>p {}</style><noscript>${one}</noscript><p ` +
        `hidden>${one}</p><p style="display: none">${one}</p><p>${two}</p>`,
      two,
    ],
    [
      'navigation, header, footer, aside',
      `<header><h1>Site</h1>${one}</header><nav>${one}</nav><p>${one}</p><aside>${two}</aside><p>${two}</p>` +
        `<footer>${one}</footer>`,
      both,
    ],
    [
      'boilerplate by role, class and id',
      `<div role=navigation>${one}</div><div class="x site-nav">${one}</div><div id=cookie-banner>${one}</div>` +
        `<div class="newsletter-signup sidebar">${one}</div><p class=navigate>${one}</p><p>${two}</p>`,
      both,
    ],
    [
      'a cookie banner without a name',
      `<div>We use cookies to give you the best experience. <a href=/c>Accept all</a></div><p>${one}</p>` +
        `<p>${two}</p><p>© 2026 Example. All rights reserved.</p>`,
      both,
    ],
    [
      'link-dense blocks',
      `<div>${links(12)}</div><p>${one}</p>` +
        `<ul>${'<li><a href="/x">A headline that is about as long as a sentence</a></li>'.repeat(5)}</ul>` +
        `<p>${two}</p>`,
      both,
    ],
    [
      'short blocks at the edges',
      `<div>Menu</div><div>Log in</div><p>${one}</p><p>Short.</p><p>${two}</p><div>Read more</div>`,
      `${one}\n\nShort.\n\n${two}`,
    ],
    [
      'the rest when there is an article',
      `<div>${one.replace('first', 'teaser')}</div><article><p>${one}</p><p>${two}</p></article>`,
      both,
    ],
    ['stray end tags', `<div><p>${one}</b></p></span></section><p>${two}</div></div></table>`, both],
    ['a navigation that is never closed', `<div><nav><ul><li>Home</div><p>${one}</p><p>${two}</p>`, both],
    [
      'Chinese',
      '<p>这是一个足够长的句子,用来测试正文提取是否也适用于中文网页,因为中文没有空格,所以不能按单词计数。</p><p>首页</p>',
      '这是一个足够长的句子,用来测试正文提取是否也适用于中文网页,因为中文没有空格,所以不能按单词计数。',
    ],
    [
      'an encyclopedia sentence full of links',
      '<p>Escopete is a <a href=/a>municipality</a> of the <a href=/b>province of Guadalajara</a>, <a ' +
        'href=/c>Castile-La Mancha</a>, <a href=/d>Spain</a>.</p>',
      'Escopete is a municipality of the province of Guadalajara, Castile-La Mancha, Spain.',
    ],
    ['a page that is all links', `<body>${links(50)}</body>`, ''],
    ['nothing', '', ''],
  ])('%s', (_, html, expected) => expect(extractMainText(html).text).toBe(expected));

  test('believes only tags when attributes would leave nothing', () => {
    const html = `<body class="cookie-consent"><div class="sidebar">${`<p>${one}</p>`.repeat(6)}</div></body>`;
    expect(extractMainText(html).text).toBe(Array.from({ length: 6 }, () => one).join('\n\n'));
  });

  test.each([
    [
      'title',
      '<html lang=en-GB><head><title> A &lt;b&gt;\n page </title><meta property="og:title" content="Social">' +
        '</head><svg><title>icon</title></svg><h1>H</h1>',
      'A <b> page',
      'en-GB',
    ],
    ['og:title', '<meta property="og:title" content="Tom &amp; Co"><h1>H</h1>', 'Tom & Co', ''],
    ['heading', `<h1>H</h1>`, 'H', ''],
  ])('takes the title from %s', (_, html, title, lang) => expect(extractMainText(html)).toMatchObject({ title, lang }));

  const n = 20_000;
  test.each([
    ['nested divs', '<div>'.repeat(n) + one + '</div>'.repeat(n)],
    ['nested divs and stray end tags', '<div>'.repeat(n) + one + '</b></i></p></span>'.repeat(10 * n)],
    ['nested inline elements', '<b><i>'.repeat(n) + one + '</p></b>'.repeat(n)],
    ['nested lists that are never closed', '<ul><li><a href=x>'.repeat(n) + `</a><p>${one}`],
    ['nested tables', '<table><tr><td>'.repeat(n) + `<p>${one}</p>`],
    ['nested navigation', '<nav>'.repeat(n) + 'x' + '</nav>'.repeat(n) + one],
    [
      'attributes by the thousand',
      `<div ${Array.from({ length: n * 5 }, (_, i) => `a${i}=b`).join(' ')} class="${'x '.repeat(n * 10)}">${one}`,
    ],
    ['unfinished tags', `<p>${one}</p>${'<a href="'.repeat(n)}`],
    ['entities without end', `<p>${one}</p><p>${'&amp'.repeat(n)}&#x${'9'.repeat(n)}; ${'&'.repeat(n)}`],
    ['breaks and blanks', `<p>${one}</p>${'<br> '.repeat(n * 5)}${' '.repeat(n * 50)}`],
    ['one long line', `<p>${one}</p><p>${'word '.repeat(n * 20)}`],
    ['dots and quotes', `<p>${one}</p><p>${'."'.repeat(n * 10)}`],
    ['comments that never end', `<p>${one}</p>${'<!-- -'.repeat(n)}`],
  ])('stays linear with 20,000 %s', (_, html) => {
    const start = performance.now();
    extractMainText(html);
    expect(performance.now() - start).toBeLessThan(15_000); // a tenth of a second on an idle machine
  });
});

const bytes = (text: string) => Buffer.from(text, 'latin1');
describe('decodeHtml', () => {
  test.each<[string, Uint8Array, string, string, string]>([
    ['the HTTP header', bytes('<p>\xef\xf0\xe8'), 'text/html; charset="windows-1251"', 'windows-1251', '<p>при'],
    [
      'meta charset',
      Buffer.concat([bytes('<meta charset=gb2312>'), Buffer.from([0xc4, 0xe3])]),
      'text/html',
      'gbk',
      '<meta charset=gb2312>你',
    ],
    [
      'meta http-equiv',
      Buffer.concat([
        bytes('<!-- <meta charset=big5> --><META http-equiv=Content-Type content="text/html; charset=Shift_JIS">'),
        Buffer.from([0x82, 0xa0]),
      ]),
      '',
      'shift_jis',
      'あ',
    ],
    [
      'a byte order mark before all',
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes('a')]),
      'text/html; charset=big5',
      'utf-8',
      'a',
    ],
    ['UTF-8 by its bytes', Buffer.from('é'), '', 'utf-8', 'é'],
    ['UTF-8 announced as Latin-1', Buffer.from('é'), 'text/html; charset=iso-8859-1', 'utf-8', 'é'],
    ['Latin-1', bytes('caf\xe9 \x93x\x94'), 'text/html; charset=iso-8859-1', 'windows-1252', 'café “x”'],
    ['an unknown name', Buffer.from('é'), 'text/html; charset=klingon', 'utf-8', 'é'],
    ['UTF-16 in a meta element', bytes('<meta charset=utf-16>x'), '', 'utf-8', 'x'],
  ])('%s', (_, page, contentType, encoding, end) => {
    const decoded = decodeHtml(page, contentType);
    expect(decoded.encoding).toBe(encoding);
    expect(decoded.html.endsWith(end)).toBe(true);
  });
});
