import { TextDecoder } from 'node:util';
import { stream } from './random.mjs';
import { warc, wet } from './warc.mjs';
import { webText } from './website.mjs';
import { html } from './html.mjs';
import { world } from './world.mjs';

/** Two crawls of about eighty pages, the second with a quarter of the first's pages again, and a WET of the second. */
export function crawl() {
  const things = stream('crawl order').some(world, 160);
  const first = things.slice(0, 78).map((thing) => site(thing, '38'));
  const again = first.slice(0, 20);
  const second = [...again, ...things.slice(90, 150).map((thing) => site(thing, '43'))];
  const texts = things.slice(60, 140).map((thing) => site(thing, 'wet'));
  return {
    'crawl/CC-MAIN-2026-38-sample.warc.gz': warc(
      'CC-MAIN-2026-38',
      'CC-MAIN-2026-38-sample.warc.gz',
      '2026-09-20T06:00:00Z',
      [...first.map(fetched), ...odd],
    ),
    'crawl/CC-MAIN-2026-43-sample.warc.gz': warc(
      'CC-MAIN-2026-43',
      'CC-MAIN-2026-43-sample.warc.gz',
      '2026-10-25T06:00:00Z',
      [...second.map(fetched), ...odd.slice(0, 4)],
    ),
    'crawl/CC-MAIN-2026-43-sample.warc.wet.gz': wet(
      'CC-MAIN-2026-43',
      'CC-MAIN-2026-43-sample.warc.wet.gz',
      '2026-10-25T06:00:00Z',
      texts.map(converted),
    ),
  };
}

const slug = (text) => text.toLowerCase().replace(/[^a-z]+/g, '-');

function site(thing, edition) {
  const page = webText(thing, edition);
  return {
    ...page,
    url: `https://${slug(thing.county)}.example/${edition}/${slug(`${page.title} ${thing.name}`)}.html`,
  };
}

/** How servers name and send text: most UTF-8, some Windows-1252 or Latin-1, by header or by meta tag only. */
const encodings = [
  { charset: 'utf-8', header: true },
  { charset: 'utf-8', header: true },
  { charset: 'UTF-8', header: false },
  { charset: 'utf-8', header: true },
  { charset: 'windows-1252', header: true },
  { charset: 'iso-8859-1', header: false },
];

function fetched(page) {
  const r = stream('fetched', page.url);
  const { charset, header } = r.pick(encodings);
  return {
    url: page.url,
    headers: {
      Server: r.pick(['nginx', 'Apache']),
      'Content-Type': header ? `text/html; charset=${charset}` : 'text/html',
      ...(r.chance(0.3) ? { 'X-Crawl-Content-Encoding': 'gzip' } : {}),
    },
    body: encode(html(page, charset), charset),
  };
}

const converted = (page) => ({
  url: page.url,
  text:
    [page.title, 'Home', 'News', 'Contact us', ...page.paragraphs, 'All rights reserved.', 'Accept all cookies'].join(
      '\n',
    ) + '\n',
});

/** Bytes of a text in a single- or double-byte character set, by inverting its decoder. */
function encode(text, charset) {
  if (charset.toLowerCase() === 'utf-8') return Buffer.from(text);
  const decoder = new TextDecoder(charset);
  const table = new Map();
  for (let byte = 0; byte < 256; byte++) table.set(decoder.decode(Uint8Array.of(byte)), [byte]);
  if (charset === 'gb2312')
    for (let a = 0x81; a < 0xff; a++)
      for (let b = 0x40; b < 0xff; b++) table.set(decoder.decode(Uint8Array.of(a, b)), [a, b]);
  return Buffer.from(
    [...text].flatMap((letter) => table.get(letter) ?? [...`&#${letter.codePointAt(0)};`].map((c) => c.charCodeAt(0))),
  );
}

const chinese = {
  title: '青溪的早晨',
  paragraphs: [
    '清晨的青溪镇很安静，河上有一层薄薄的雾。卖豆腐的老人推着车走过石桥，孩子们背着书包去学校。',
    '茶馆的门开了，几位老人坐下来喝茶，谈起去年的灯会。窗外的桂花开了，香气飘进屋里，大家都说今年的秋天来得早。',
    '中午，渔民把船停在岸边，把鱼送到市场。下午下了一点雨，街上的石板闪着光，小镇显得更加美丽。',
    '傍晚，灯一盏一盏地亮起来。孩子们在院子里做功课，母亲们准备晚饭，父亲们坐在门口说话。有人在河边吹笛子，声音很轻，顺着水一直传到桥的那一头。',
    '我在这里住了三天，每天都去同一家茶馆，坐在同一个位置。离开的时候，老板送给我一包茶叶，说明年春天再来，那时候山上的花都开了。',
  ],
};
const typed = (type) => ({ 'Content-Type': type });

/**
 * What crawls also contain and a reader must skip or decode: errors, pictures, data, other character sets, empty pages.
 */
const odd = [
  {
    url: 'https://fenland.example/gone.html',
    status: '404 Not Found',
    headers: typed('text/html; charset=utf-8'),
    body: Buffer.from('<html><title>Not found</title><p>This page is gone.</html>'),
  },
  {
    url: 'https://fenland.example/heron.png',
    headers: typed('image/png'),
    body: Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 1, 2, 3]),
  },
  {
    url: 'https://highdown.example/qingxi.html',
    headers: typed('text/html'),
    lang: 'zh',
    body: encode(html(chinese, 'gb2312'), 'gb2312'),
  },
  {
    url: 'https://highdown.example/cookies.html',
    headers: typed('text/html; charset=utf-8'),
    body: Buffer.from(
      '<html><body><p>We use cookies.</p><p>Please enable JavaScript to see this page.</p></body></html>',
    ),
  },
  {
    url: 'https://highdown.example/moved.html',
    status: '301 Moved Permanently',
    headers: { ...typed('text/html'), Location: 'https://highdown.example/' },
    body: Buffer.alloc(0),
  },
  {
    url: 'https://highdown.example/data.json',
    headers: typed('application/json'),
    body: Buffer.from('{"river": "Arrel", "level": 41}'),
  },
];
