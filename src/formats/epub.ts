import { Parser } from 'htmlparser2';
import { decodeHtml } from '../text/html/charset.ts';
import { readBlocks } from '../text/html/blocks.ts';

/** The contents of an EPUB's package document. */
export interface EpubPackage {
  readonly title: string;
  readonly author: string;
  /** ISO 639-1 code, or the language tag's first part. */
  readonly lang: string;
  /** Paths within the archive of the content documents in reading order, without navigation. */
  readonly chapters: readonly string[];
}

/** Path of the package document named in `META-INF/container.xml`; `undefined` when there is none. */
export function packagePath(container: string): string | undefined {
  return elements(container).find(
    ({ name, attributes }) => name === 'rootfile' && attributes['full-path'] !== undefined,
  )?.attributes['full-path'];
}

/**
 * Read a package document (EPUB 2 and 3): metadata and spine.
 * Format: https://www.w3.org/TR/epub-33/#sec-package-doc
 * @param path its path in the archive, which the paths in it are relative to
 */
export function readPackage(opf: string, path: string): EpubPackage {
  const all = elements(opf);
  const text = (name: string): string =>
    all.find((element) => element.name === name && element.text.trim() !== '')?.text.trim() ?? '';
  const items = new Map(
    all.filter(({ name }) => name === 'item').map(({ attributes }) => [attributes.id ?? '', attributes]),
  );
  const chapters = all.flatMap(({ name, attributes }) => {
    if (name !== 'itemref' || attributes.linear === 'no') return [];
    const item = items.get(attributes.idref ?? '');
    const isText = /^(?:application\/xhtml\+xml|text\/html|application\/x-dtbook\+xml)$/i.test(
      item?.['media-type'] ?? '',
    );
    return isText && !/(?:^|\s)nav(?:\s|$)/.test(item?.properties ?? '') ? [resolvePath(path, item?.href ?? '')] : [];
  });
  return {
    title: text('dc:title'),
    author: text('dc:creator'),
    lang: text('dc:language').toLowerCase().split(/[-_]/)[0] ?? '',
    chapters,
  };
}

/**
 * A content document's paragraphs, separated by blank lines, including headings; list items are separated by line ends.
 */
export function chapterText(bytes: Uint8Array): string {
  let text = '';
  let lastKind = '';
  for (const { text: block, kind } of readBlocks(decodeHtml(bytes).html, false).blocks) {
    if (text !== '') text += kind === 'item' && lastKind === 'item' ? '\n' : '\n\n';
    text += block;
    lastKind = kind;
  }
  return text;
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  /** Its own text, until its first child. */
  text: string;
}

function elements(xml: string): Element[] {
  const found: Element[] = [];
  const parser = new Parser(
    {
      onopentag: (name, attributes) =>
        void found.push({ name: name.replace(/^(?!dc:)[\w.-]+:/, ''), attributes, text: '' }),
      ontext: (text) => {
        const last = found.at(-1);
        if (last !== undefined) last.text += text;
      },
    },
    { xmlMode: true, decodeEntities: true },
  );
  parser.end(xml);
  return found;
}

/** An address relative to a file of the archive, as a path in the archive. */
function resolvePath(base: string, href: string): string {
  const { pathname } = new URL(href, `epub:///${base}`);
  try {
    return decodeURIComponent(pathname.slice(1));
  } catch {
    return pathname.slice(1);
  }
}
