// Speed of reading dumps beside the libraries that others use for it: `npm run build && node bench/corpora/ingest.mjs
// [wikitext|bzip2|warc|html …]`.
// Needs the sample data beside the project, installs the npm peers into a temporary folder, and compares with gensim
// where RUN_PIPELINE_PYTHON names a Python that has it. Processor seconds of one thread, best of the rounds, taking
// turns.
import { spawnSync } from 'node:child_process';
import { createReadStream, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSource } from '../../dist/src/sources/source.js';
import { bunzip2 } from '../../dist/src/formats/bzip2.js';
import { readHttpResponse } from '../../dist/src/formats/http-message.js';
import { readWarc } from '../../dist/src/formats/warc.js';
import { decodeHtml } from '../../dist/src/text/html/charset.js';
import { readBlocks } from '../../dist/src/text/html/blocks.js';
import { extractMainText } from '../../dist/src/text/html/main-text.js';
import { readMediaWiki } from '../../dist/src/formats/mediawiki-xml.js';
import { wikitextToText } from '../../dist/src/text/wikitext/index.js';
import { machine } from '../runner/measure.mjs';
import { installPeers } from './npm-peers.mjs';

const data = process.env.DATA ?? fileURLToPath(new URL('../../../shared/data', import.meta.url));
const rounds = Number(process.env.ROUNDS ?? 5);
if (!existsSync(data)) throw new Error(`no sample data at ${data} (DATA names another folder)`);
const {
  folder,
  load: peer,
  version,
} = installPeers('wtf_wikipedia', '@mozilla/readability', 'linkedom', 'warcio', 'unbzip2-stream', 'bzip2-wasm');

console.log(`${machine()}\n\n| job | who | per second | MB/s | against ours |\n| --- | --- | --: | --: | --: |`);
const jobs = { wikitext, bzip2, warc, html };
for (const job of process.argv.length > 2 ? process.argv.slice(2) : Object.keys(jobs)) await jobs[job]();

/**
 * Each contender in turn, `rounds` times; `work` returns nothing. Rows of the table from the best processor time of
 * each.
 */
async function compare(job, unit, count, bytes, contenders) {
  const best = new Map();
  for (let round = 0; round < rounds; round++)
    for (const [name, work] of Object.entries(contenders)) {
      const before = process.cpuUsage();
      const seconds = (await work()) ?? ((used) => (used.user + used.system) / 1e6)(process.cpuUsage(before));
      best.set(name, Math.min(best.get(name) ?? Infinity, seconds));
    }
  const [first] = best.values();
  for (const [name, seconds] of best)
    console.log(
      `| ${job} | ${name} | ${(count / seconds).toFixed(0)} ${unit} | ${(bytes / seconds / 1e6).toFixed(1)} | ` +
        `${seconds === first ? '' : against(seconds, first)} |`,
    );
}

function against(seconds, first) {
  return seconds > first ? `×${(seconds / first).toFixed(1)} slower` : `×${(first / seconds).toFixed(1)} faster`;
}

async function wikitext() {
  const { default: wtf } = await peer('wtf_wikipedia');
  for (const name of ['smallwiki-pages-articles', 'enwiki-table-markup']) {
    const pages = [];
    const source = await openSource({ uri: join(data, `wikipedia/${name}.xml.bz2`), name }, { cache: folder });
    for await (const { site, page } of readMediaWiki(source.read(), name))
      if (page.namespace === 0 && page.redirect === undefined && page.model === 'wikitext')
        pages.push({ ...page, namespaces: site.namespaces });
    const texts = join(folder, `${name}.json`);
    writeFileSync(texts, JSON.stringify(pages.map(({ text }) => text)));
    const bytes = pages.reduce((sum, { text }) => sum + Buffer.byteLength(text), 0);
    const python = process.env.RUN_PIPELINE_PYTHON ?? 'python3';
    const program =
      'import json, sys, time\nfrom gensim.corpora.wikicorpus import filter_wiki\ntexts = ' +
      'json.load(open(sys.argv[1]))\nstart = time.process_time()\nfor text in texts: ' +
      'filter_wiki(text)\nprint(time.process_time() - start)';
    const gensim = () => {
      const { status, stdout } = spawnSync(python, ['-c', program, texts], { encoding: 'utf8' });
      return status === 0 ? Number(stdout) : Infinity;
    };
    await compare(`wikitext, ${name} (${pages.length})`, 'articles', pages.length, bytes, {
      'run-pipeline': () => {
        for (const { text, title, namespaces } of pages) wikitextToText(text, { title, namespaces });
      },
      [version('wtf_wikipedia')]: () => {
        for (const { text, title } of pages) wtf(text, { title }).text();
      },
      ...(gensim() === Infinity ? {} : { 'gensim filter_wiki': gensim }),
    });
  }
}

async function bzip2() {
  const unbzip2 = (await peer('unbzip2-stream')).default;
  const wasm = new (await peer('bzip2-wasm')).default();
  await wasm.init();
  const path = join(data, 'wikipedia/smallwiki-pages-articles.xml.bz2');
  let bytes = 0;
  for await (const chunk of bunzip2(createReadStream(path), path)) bytes += chunk.length;
  await compare('bzip2, smallwiki', 'files', 1, bytes, {
    'run-pipeline': async () => {
      for await (const _ of bunzip2(createReadStream(path), path));
    },
    [version('unbzip2-stream')]: () =>
      new Promise((resolve, reject) =>
        createReadStream(path)
          .pipe(unbzip2())
          .on('data', () => {})
          .on('end', resolve)
          .on('error', reject),
      ),
    // One stream from a buffer to a buffer, whose length it has to be told; ours reads files of any length in pieces.
    [version('bzip2-wasm')]: () => {
      const { length } = wasm.decompress(readFileSync(path), bytes);
      if (length !== bytes) throw new Error(`${length} of ${bytes} bytes`);
    },
  });
}

/** One real file many times over: a WARC file is a sequence of members, so copies make a file like any other. */
async function warc() {
  const one = readFileSync(join(data, 'common-crawl/sample-0000.warc.gz'));
  const path = join(folder, 'many.warc.gz');
  writeFileSync(path, Buffer.concat(Array.from({ length: 60 }, () => one)));
  let records = 0;
  let bytes = 0;
  for await (const record of readWarc(createReadStream(path), { name: path }))
    if (record.ok) {
      records++;
      bytes += record.block.length;
    }
  const { WARCParser } = await peer('warcio');
  await compare('WARC', 'records', records, bytes, {
    'run-pipeline': async () => {
      for await (const _ of readWarc(createReadStream(path, { highWaterMark: 1 << 18 }), { name: path }));
    },
    [version('warcio')]: async () => {
      for await (const record of new WARCParser(createReadStream(path, { highWaterMark: 1 << 18 })))
        await record.readFully(false);
    },
  });
}

async function html() {
  const { Readability } = await peer('@mozilla/readability');
  const { parseHTML } = await peer('linkedom');
  const pages = [];
  const path = join(data, 'common-crawl/sample-0000.warc.gz');
  for await (const record of readWarc(createReadStream(path), { name: path })) {
    const response = record.ok && record.type === 'response' ? readHttpResponse(record.block, 8 << 20) : 'no';
    if (
      typeof response !== 'string' &&
      response.status === 200 &&
      /html/.test(response.fields.get('content-type') ?? '')
    )
      pages.push(decodeHtml(response.body, response.fields.get('content-type')).html);
  }
  const theirs = (page) => new Readability(parseHTML(page).document).parse()?.textContent ?? '';
  const many = Array.from({ length: Math.ceil(100 / pages.length) }, () => pages).flat();
  await compare(
    'HTML',
    'pages',
    many.length,
    many.reduce((sum, page) => sum + Buffer.byteLength(page), 0),
    {
      'run-pipeline': () => {
        for (const page of many) extractMainText(page);
      },
      [`${version('@mozilla/readability')} + ${version('linkedom')}`]: () => {
        for (const page of many) theirs(page);
      },
    },
  );
  console.log(`\n${sentencesFound(pages, (page) => extractMainText(page).text, theirs)}`);
}

/** Which of the pages' visible sentences, of eight words and more with a stop at their end, each extractor keeps. */
function sentencesFound(pages, ours, theirs) {
  const words = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  const joined = (text) => ` ${words(text).join(' ')} `;
  const counts = { all: 0, ours: 0, theirs: 0 };
  const only = [];
  let [ourWords, theirWords] = [0, 0];
  pages.forEach((page, i) => {
    const [our, their] = [joined(ours(page)), joined(theirs(page))];
    ourWords += words(our).length;
    theirWords += words(their).length;
    const visible = readBlocks(page, false).blocks.flatMap(({ text }) => text.split(/(?<=[.!?。])\s+/));
    for (const sentence of visible.filter((text) => /[.!?。]["')\]]*$/.test(text) && words(text).length >= 8)) {
      const [isOurs, isTheirs] = [our, their].map((text) => text.includes(joined(sentence)));
      counts.all++;
      if (isOurs) counts.ours++;
      if (isTheirs) counts.theirs++;
      if (isOurs !== isTheirs) only.push(`${isOurs ? 'ours' : 'theirs'} ${i}: ${sentence}`);
    }
  });
  if (process.env.LIST) console.log(only.join('\n'));
  return (
    `${pages.length} pages with ${counts.all} sentences: ours keeps ${counts.ours} (${ourWords} words in all), ` +
    `readability ${counts.theirs} (${theirWords}); LIST=1 prints those that only one keeps.`
  );
}
