import { createHash } from 'node:crypto';
import { execFileSync } from 'node:child_process';

const escape = (text) =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
const sha1 = (text) =>
  BigInt(`0x${createHash('sha1').update(text).digest('hex')}`)
    .toString(36)
    .padStart(31, '0');

export function siteinfo({ sitename, dbname, lang, namespaces }) {
  const list = Object.entries({ '-1': 'Special', ...namespaces })
    .map(
      ([key, name]) =>
        `      <namespace key="${key}" case="first-letter"${name === '' ? ' />' : `>${name}</namespace>`}`,
    )
    .join('\n');
  return `<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://www.mediawiki.org/xml/export-0.11/ http://www.mediawiki.org/xml/export-0.11.xsd" version="0.11" xml:lang="${lang}">
  <siteinfo>
    <sitename>${sitename}</sitename>
    <dbname>${dbname}</dbname>
    <base>https://${lang}.mosse.example/wiki/Main_Page</base>
    <generator>make-samples</generator>
    <case>first-letter</case>
    <namespaces>
${list}
    </namespaces>
  </siteinfo>
`;
}

/** One `<page>` of an export: `{ id, ns, title, text, redirect?, revision, date }`. */
export function page({ id, ns = 0, title, text, redirect, revision, date }) {
  return `  <page>
    <title>${escape(title)}</title>
    <ns>${ns}</ns>
    <id>${id}</id>
${redirect === undefined ? '' : `    <redirect title="${escape(redirect)}" />\n`}    <revision>
      <id>${revision}</id>
      <parentid>${revision - 7}</parentid>
      <timestamp>${date}T09:00:00Z</timestamp>
      <contributor>
        <username>Sample writer</username>
        <id>1</id>
      </contributor>
      <origin>${revision}</origin>
      <model>wikitext</model>
      <format>text/x-wiki</format>
      <text bytes="${Buffer.byteLength(text)}" sha1="${sha1(text)}" xml:space="preserve">${escape(text)}</text>
      <sha1>${sha1(text)}</sha1>
    </revision>
  </page>
`;
}

/**
 * Compressed by the system's bzip2: Node does not have it, and its output is the same for the same input on every
 * machine.
 */
const bzip2 = (text) => execFileSync('bzip2', ['-9', '-c'], { input: text, maxBuffer: 1 << 28 });

export const singleStream = (site, pages) => bzip2(siteinfo(site) + pages.map(page).join('') + '</mediawiki>\n');

/**
 * As dumps are published: a stream for the header, one per `group` pages, one for the footer; and the index of offsets.
 */
export function multistream(site, pages, group) {
  const streams = [bzip2(siteinfo(site))];
  const index = [];
  let offset = streams[0].length;
  for (let i = 0; i < pages.length; i += group) {
    const part = pages.slice(i, i + group);
    for (const { id, title } of part) index.push(`${offset}:${id}:${title}\n`);
    streams.push(bzip2(part.map(page).join('')));
    offset += streams.at(-1).length;
  }
  streams.push(bzip2('</mediawiki>\n'));
  return { dump: Buffer.concat(streams), index: bzip2(index.join('')) };
}
