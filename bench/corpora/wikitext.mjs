// What our wikitext extractor and wtf_wikipedia make of the same articles, sentence by sentence:
// `npm run build && node bench/corpora/wikitext.mjs [dump …]`. Reads the sample dumps beside the project (DATA names
// another folder), those of gensim's tests where RUN_PIPELINE_PYTHON has gensim, and the dumps named. Prints each class
// of difference with its count and an example, then every sentence that fits no class, to be read (LIST=class prints
// all of that class).
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSource } from '../../dist/src/sources/source.js';
import { readMediaWiki } from '../../dist/src/formats/mediawiki-xml.js';
import { wikitextToText } from '../../dist/src/text/wikitext/index.js';
import { isDroppedSection } from '../../dist/src/text/wikitext/sections.js';
import { installPeers } from './npm-peers.mjs';

const { folder, load, version } = installPeers('wtf_wikipedia');
const { default: wtf } = await load('wtf_wikipedia');
const date = '2026-11-25';
const found = { theirs: new Map(), ours: new Map() };
const chars = { theirs: 0, ours: 0 };
let articles = 0;
for (const path of dumps()) {
  const source = await openSource({ uri: path, name: basename(path) }, { cache: folder });
  for await (const { site, page } of readMediaWiki(source.read(), basename(path))) {
    if (page.namespace !== 0 || page.redirect !== undefined || page.model !== 'wikitext') continue;
    articles++;
    compare(page, wikitextToText(page.text, { title: page.title, date, namespaces: site.namespaces }));
  }
}
console.log(
  `${articles} articles, ${version('wtf_wikipedia')}; characters: ours ${chars.ours}, theirs ${chars.theirs}\n`,
);
report('theirs', 'In theirs, not in ours');
report('ours', 'In ours, not in theirs');

function dumps() {
  const data = process.env.DATA ?? fileURLToPath(new URL('../../../shared/data/wikipedia', import.meta.url));
  const program = 'import gensim, os; print(os.path.join(os.path.dirname(gensim.__file__), "test/test_data"))';
  const gensim =
    spawnSync(process.env.RUN_PIPELINE_PYTHON ?? 'python3', ['-c', program], { encoding: 'utf8' }).stdout?.trim() ?? '';
  const inFolder = (path, pattern) =>
    path !== '' && existsSync(path)
      ? readdirSync(path)
          .filter((name) => pattern.test(name))
          .sort()
          .map((name) => join(path, name))
      : [];
  return [...inFolder(data, /\.xml\.bz2$/), ...inFolder(gensim, /^enwiki-latest.*\.bz2$/), ...process.argv.slice(2)];
}

function compare({ title, text }, ours) {
  const sections = wtf(text, { title }).sections();
  const theirText = sections.map((section) => section.text()).join('\n');
  chars.ours += ours.length;
  chars.theirs += theirText.length;
  const [mine, other] = [indexed(ours), indexed(theirText)];
  let dropped = -1;
  for (const section of sections) {
    if (dropped >= 0 && section.depth() <= dropped) dropped = -1;
    if (dropped < 0 && isDroppedSection(section.title(), new Set())) dropped = section.depth();
    for (const sentence of sentences(section.text()))
      if (!mine.has(sentence))
        put('theirs', dropped >= 0 ? 'references, links and notes' : classOfTheirs(sentence, mine), title, sentence);
  }
  const headings = new Set(sections.map((section) => words(section.title()).join(' ')));
  for (const sentence of sentences(ours))
    if (!other.has(sentence))
      put(
        'ours',
        headings.has(words(sentence).join(' ')) ? 'section titles' : classOfOurs(sentence, other),
        title,
        sentence,
      );
}

function classOfTheirs(sentence, mine) {
  const tokens = words(sentence);
  if (/^(?:category|kategoreja|категория):/i.test(sentence)) return 'categories';
  if (/\\[a-z]{2,}|&#?\w+;|\bundefined\b|<\/?\w+|\{\{|\{\||valign=/.test(sentence))
    return 'markup left, templates broken';
  if (/\bthumb\b|\|?\d+ ?px|\bframe\||\|(?:left|right|center)\b|\]\]|\[\[/.test(sentence))
    return 'file options and captions';
  if (mine.measures.includes(` ${measures(sentence)} `)) return 'figures and units';
  if (mine.has(sentence.replace(/^\*\s*\d+\)/, ''))) return 'numbers of list items';
  if (tokens.length > 3 && mine.lines.some((line) => isWithin(tokens, line))) return 'words missing in theirs';
  for (let at = 1; at < tokens.length; at++)
    if (mine.hasWords(tokens.slice(0, at)) && mine.hasWords(tokens.slice(at)))
      return 'sentences joined over a list, quotation or formula';
  return 'other';
}

function classOfOurs(sentence, other) {
  const tokens = words(sentence);
  if (other.measures.includes(` ${measures(sentence)} `)) return 'figures and units';
  if (/^\d{1,3}\. /.test(sentence) || /^\d{1,3}\.$/.test(sentence)) return 'numbers of list items';
  // Not all of a sentence that they keep some words of: as many as two in a row.
  if (other.lines.some((line) => line.length > 3 && isWithin(line, tokens))) return 'words missing in theirs';
  const pairs = tokens.slice(1).filter((word, i) => other.text.includes(` ${tokens[i]} ${word} `)).length;
  return pairs * 2 >= tokens.length - 1 && tokens.length > 3
    ? 'words missing in theirs'
    : 'sentences missing in theirs';
}

function put(side, name, title, sentence) {
  const all = found[side].get(name) ?? [];
  all.push(`${title}: ${sentence}`);
  found[side].set(name, all);
}

function report(side, heading) {
  const classes = [...found[side]].sort(([, a], [, b]) => b.length - a.length);
  console.log(`## ${heading}\n\n| class | sentences | example |\n| --- | --: | --- |`);
  for (const [name, all] of classes)
    console.log(`| ${name} | ${all.length} | ${all[all.length >> 1].replaceAll('|', '\\|').slice(0, 160)} |`);
  for (const name of [process.env.LIST, side === 'theirs' ? 'other' : undefined])
    for (const line of found[side].get(name) ?? []) console.log(`- ${name}: ${line}`);
  console.log();
}

function words(text) {
  return (
    text
      .toLowerCase()
      .normalize('NFKC')
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

/** Words with numbers without commas and units by their symbols, so that "2,942 metres" is "2942 m". */
function measures(text) {
  const plain = text.replace(/(\d),(?=\d{3})/g, '$1').replace(/(\d)[ -]([a-z]{1,4}\b)/g, '$1 $2');
  const symbols = [
    [/square |cubic |sq |cu /g, ''],
    [/nautical miles?/g, 'nmi'],
    [/us gallons?/g, 'usgal'],
    [/barrels/g, 'oilbbl'],
    [/long tons/g, 'lt'],
    [/kilomet(?:re|er)s?/g, 'km'],
    [/centimet(?:re|er)s?/g, 'cm'],
    [/millimet(?:re|er)s?/g, 'mm'],
    [/\bmet(?:re|er)s?\b/g, 'm'],
    [/\b(?:feet|foot)\b/g, 'ft'],
    [/\binch(?:es)?\b/g, 'in'],
    [/\bmiles?\b/g, 'mi'],
    [/\bacres\b/g, 'acre'],
    [/hectares?/g, 'ha'],
    [/kilograms?/g, 'kg'],
    [/tonnes?/g, 't'],
    [/pounds?|\blbs\b/g, 'lb'],
    [/\b(sq|cu)(?=mi|ft)|(?<=km|ft|m|mi)[23²³]/g, ''],
  ];
  return words(symbols.reduce((all, [pattern, by]) => all.replace(pattern, by), plain.toLowerCase())).join(' ');
}

function sentences(text) {
  return text
    .split(/\n+|(?<=[.!?。])\s+/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => words(sentence).length > 0);
}

function indexed(text) {
  const joined = ` ${words(text).join(' ')} `;
  const hasWords = (tokens) => joined.includes(` ${tokens.join(' ')} `);
  return {
    text: joined,
    hasWords,
    has: (sentence) => hasWords(words(sentence)),
    measures: ` ${measures(text)} `,
    lines: text.split('\n').map(words),
  };
}

/** Whether words come in the same order, with others between them, in a line. */
function isWithin(tokens, line) {
  let at = 0;
  for (const word of line) if (word === tokens[at]) at++;
  return at === tokens.length;
}
