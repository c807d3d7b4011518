import { multistream, singleStream } from './mediawiki.mjs';
import { stream } from './random.mjs';
import { article } from './wikitext.mjs';
import { junk, otherNamespaces } from './junk.mjs';
import { world } from './world.mjs';

const site = {
  sitename: 'Mossepedia',
  dbname: 'mossewiki',
  lang: 'en',
  namespaces: { 0: '', 1: 'Talk', 2: 'User', 4: 'Mossepedia', 6: 'File', 10: 'Template', 14: 'Category' },
};

/**
 * Three dumps a month apart: of each month's articles some are gone, most stay, a quarter of those edited, some are
 * new.
 */
export function wikipedia() {
  const things = stream('order').some(world, world.length);
  const [october, november, december] = [things.slice(0, 180), things.slice(25, 225), things.slice(45)];
  const edits = (thing, months) => months.filter((month) => stream('edited', month, thing.name).chance(1 / 4));
  const dump = (date, list, months) => pages(list, date, (thing) => article(thing, edits(thing, months)));
  const parts = multistream(site, dump('2026-11-01', november, ['October']), 50);
  return {
    'wikipedia/mossewiki-20261001-pages-articles.xml.bz2': singleStream(site, dump('2026-10-01', october, [])),
    'wikipedia/mossewiki-20261101-pages-articles-multistream.xml.bz2': parts.dump,
    'wikipedia/mossewiki-20261101-pages-articles-multistream-index.txt.bz2': parts.index,
    'wikipedia/mossewiki-20261201-pages-articles.xml.bz2': singleStream(
      site,
      dump('2026-12-01', december, ['October', 'November']),
    ),
  };
}

function pages(things, date, text) {
  const ids = new Map(world.map((thing, i) => [thing, 100 + 3 * i]));
  const out = [];
  for (const thing of things) {
    const id = ids.get(thing);
    out.push({ id, title: thing.title, text: text(thing) });
    const r = stream('around', thing.name);
    if (r.chance(0.12))
      out.push({
        id: id + 1,
        title: `${thing.title} (Vale of Mosse)`,
        redirect: thing.title,
        text: `#REDIRECT [[${thing.title}]]\n\n{{R from move}}`,
      });
    if (r.chance(0.05)) out.push({ id: id + 2, title: `${thing.title} (copy)`, text: text(thing) });
    if (r.chance(0.06))
      out.push({
        id: 5000 + id,
        ns: 1,
        title: `Talk:${thing.title}`,
        text: `== Name ==\nIs the name of ${thing.title} spelled like this in the old charter? ~~~~\n: I think so. ~~~~`,
      });
  }
  return [...out, ...otherNamespaces, ...junk]
    .map((entry) => ({ revision: 90000 + entry.id * 7 + Number(date.slice(5, 7)) - 10, date, ...entry }))
    .sort((a, b) => a.id - b.id);
}
