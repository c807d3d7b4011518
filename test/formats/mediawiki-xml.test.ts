import { describe, expect, it } from 'vitest';
import { readMediaWiki, type SiteInfo, type WikiPage } from '../../src/formats/mediawiki-xml.ts';

const dump = `<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="en">
  <siteinfo><sitename>Test</sitename><dbname>testwiki</dbname><base>https://test.example/wiki/Main_Page</base>
    <namespaces><namespace key="0" case="first-letter" /><namespace key="6" case="first-letter">Datei</namespace></namespaces>
  </siteinfo>
  <page><title>R&amp;D</title><ns>0</ns><id>7</id><revision><id>99</id><timestamp>2026-11-01T00:00:00Z</timestamp>
    <model>wikitext</model><text bytes="9" xml:space="preserve">a &amp;nbsp; &lt;page&gt; 北京 &#34;</text></revision></page>
  <page><title>Old</title><ns>0</ns><id>8</id><redirect title="R&amp;D" /><revision><id>1</id><text>#REDIRECT [[R&amp;D]]</text></revision></page>
  <page><title>Talk:X</title><ns>1</ns><id>9</id><revision><id>2</id><text xml:space="preserve" /></revision></page>
</mediawiki>
`;

async function read(xml: string | Buffer, chunkBytes = 1 << 16) {
  const bytes = Buffer.from(xml);
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
  }
  const pages: { site: SiteInfo; page: WikiPage }[] = [];
  for await (const page of readMediaWiki(chunks(), 'test.xml')) pages.push(page);
  return pages;
}

describe('mediawiki-xml', () => {
  it.each([1, 7, 64, 1 << 16])('reads pages in chunks of %i bytes', async (chunkBytes) => {
    const pages = await read(dump, chunkBytes);
    expect(pages.map(({ page }) => page)).toEqual([
      {
        id: '7',
        namespace: 0,
        title: 'R&D',
        redirect: undefined,
        model: 'wikitext',
        timestamp: '2026-11-01T00:00:00Z',
        text: 'a &nbsp; <page> 北京 "',
      },
      {
        id: '8',
        namespace: 0,
        title: 'Old',
        redirect: 'R&D',
        model: 'wikitext',
        timestamp: '',
        text: '#REDIRECT [[R&D]]',
      },
      { id: '9', namespace: 1, title: 'Talk:X', redirect: undefined, model: 'wikitext', timestamp: '', text: '' },
    ]);
    expect(pages[0]?.site).toMatchObject({ dbname: 'testwiki', lang: 'en', baseUrl: 'https://test.example/wiki/' });
    expect(pages[0]?.site.namespaces.get(6)).toBe('Datei');
  });

  it('reads a dump without pages', async () => expect(await read('<mediawiki xml:lang="en"></mediawiki>')).toEqual([]));

  it.each([
    ['an HTML page', '<!DOCTYPE html><html><body>404</body></html>', 'not-a-dump', 'is an HTML page'],
    ['other text', 'id\ttext\n1\tfoo\n', 'not-a-dump', 'is not a MediaWiki dump'],
    ['nothing', ' ', 'not-a-dump', 'is empty'],
    ['a dump cut off in its header', dump.slice(0, 200), 'truncated-dump', 'after 0 complete pages'],
    [
      'a dump cut off in a page',
      dump.slice(0, dump.indexOf('</page>') + 80),
      'truncated-dump',
      'after 1 complete pages',
    ],
    [
      'a page that never began',
      '<mediawiki><page></page></page></mediawiki>',
      'corrupt-dump',
      'has an end but no beginning',
    ],
    ['Latin-1 in a page', Buffer.from(dump.replace('北京', 'caf\xe9'), 'latin1'), 'not-utf8', 'after 0 complete pages'],
    [
      'a photograph',
      Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70, 73, 70]),
      'not-a-dump',
      'is not a MediaWiki dump',
    ],
  ])('%s', async (_, xml, code, message) => {
    await expect(read(xml)).rejects.toMatchObject({
      diagnostic: { code, message: expect.stringContaining(message) as string },
    });
  });
});
