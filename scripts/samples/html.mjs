import { stream } from './random.mjs';

const escape = (text) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/“/g, '&ldquo;').replace(/”/g, '&rdquo;');

/** A page as web sites send it: the text inside menus, scripts, banners, side columns and footers. */
export function html({ title, paragraphs, url = '' }, charset) {
  const r = stream('html', url);
  const menu = ['Home', 'News', 'Walks', 'Recipes', 'Gardens', 'Contact us']
    .map((word) => `<li><a href="/${word.toLowerCase().replace(' ', '-')}">${word}</a></li>`)
    .join('');
  const image = `<figure><img src="/photo.jpg" alt="${escape(title)}"><figcaption>Photograph: the editors</figcaption></figure>`;
  const body = paragraphs
    .map(
      (text, i) =>
        `<p>${mark(r, escape(text))}</p>${i === 0 && r.chance(0.4) ? image : ''}${i === 2 && r.chance(0.5) ? `<h2>${r.pick(['More about it', 'What else', 'In the village'])}</h2>` : ''}`,
    )
    .join('\n');
  const wrap = r.pick([
    (text) => `<article>${text}</article>`,
    (text) => `<div id="content" class="post">${text}</div>`,
    (text) => `<main><section>${text}</section></main>`,
  ]);
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="${charset}"><title>${escape(title)} – Vale Pages</title>
<meta name="description" content="Pages from the Vale of Mosse">
<style>body { font: 16px/1.5 serif; } .menu li { display: inline; } @media print { nav { display: none } }</style>
<script>window.visits = (window.visits || 0) + 1; if (window.visits > 3) { document.cookie = "seen=1"; }</script></head>
<body class="page"><header><div class="logo">Vale Pages</div><nav><ul class="menu">${menu}</ul></nav></header>
<div class="cookie-banner">We use cookies to make this page better. <button>Accept all cookies</button></div>
${wrap(`<h1>${escape(title)}</h1>\n${body}`)}
<aside class="sidebar"><h3>Most read</h3><ul><li><a href="/1">Ten walks for dry days</a></li><li><a href="/2">Who stole the wooden goose?</a></li></ul>
<form action="/search"><input name="q" placeholder="Search"><button>Search</button></form></aside>
<div class="share"><a href="#">Share</a> <a href="#">Print</a> <a href="#">Send to a friend</a></div>
<footer><p>&copy; 2026 Vale Pages. All rights reserved. <a href="/privacy">Privacy policy</a> | <a href="/terms">Terms of use</a></p></footer>
<script async src="/counter.js"></script><noscript>Please enable JavaScript.</noscript></body></html>
`;
}

/** Links and emphasis inside a paragraph, as editors put them. */
const mark = (r, text) =>
  text.replace(/\b(river|market|inn|bridge|festival|garden)\b/, (word) =>
    r.pick([`<a href="/${word}">${word}</a>`, `<em>${word}</em>`, `<strong>${word}</strong>`, word]),
  );
