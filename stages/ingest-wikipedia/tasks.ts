import { createReadStream } from 'node:fs';
import { canonicalJson } from '../../src/core/artifact.ts';
import type { StreamRange } from '../../src/formats/bzip2-streams.ts';
import { decompress } from '../../src/formats/decompress.ts';
import { serveTasks } from '../../src/threads/task-pool.ts';
import { MediaWikiReader, pageEnd, pageStart, type SiteInfo, type WikiPage } from '../../src/formats/mediawiki-xml.ts';
import { wikitextToText } from '../../src/text/wikitext/index.ts';

export interface ExtractOptions {
  readonly source: string;
  readonly snapshot: string;
  readonly lang: string;
  readonly min_characters: number;
  readonly variant: string;
  readonly drop_sections: readonly string[];
}

/** Pages of one wiki and how to convert them. */
export interface Batch {
  readonly site: SiteInfo;
  readonly pages: readonly WikiPage[];
  readonly options: ExtractOptions;
}

/** The result for a page: a row of `documents`, or the reason why it was skipped. */
export interface Outcome {
  readonly title: string;
  readonly bytes: number;
  readonly result: ReturnType<typeof toRow> | string;
}

/** A range of whole bzip2 streams of a dump whose header is known. */
export interface RangeOfDump {
  readonly path: string;
  readonly name: string;
  readonly range: StreamRange;
  readonly site: SiteInfo;
  readonly options: ExtractOptions;
}

/** The pages of a range, and the bytes before and after them: streams may end anywhere, even within a page. */
export interface RangeOutcome {
  readonly head: Uint8Array;
  readonly outcomes: readonly Outcome[];
  readonly tail: Uint8Array;
}

/** Limit for the decompressed bytes of a range of 1 MiB; text takes up about 5 MiB. */
const maxTextBytes = 512 << 20;

/** The slow parts of the stage, for a `TaskPool`. */
export const tasks = {
  async range({ path, name, range, site, options }: RangeOfDump): Promise<RangeOutcome> {
    const parts: Uint8Array[] = [];
    for await (const part of decompress(createReadStream(path, { start: range.start, end: range.end - 1 }), name, {
      maxBytes: maxTextBytes,
    }))
      parts.push(part);
    const bytes = Buffer.concat(parts);
    const start = bytes.indexOf(pageStart);
    const last = bytes.lastIndexOf(pageEnd);
    if (start < 0 || last < start) return { head: bytes, outcomes: [], tail: Buffer.alloc(0) };
    const end = last + pageEnd.length;
    const pages = [...new MediaWikiReader(name, site).push(bytes.subarray(start, end))];
    return {
      head: Buffer.from(bytes.subarray(0, start)),
      outcomes: extract({ site, pages, options }),
      tail: Buffer.from(bytes.subarray(end)),
    };
  },

  extract,
};

function extract({ site, pages, options }: Batch): Outcome[] {
  return pages.map((page) => ({
    title: page.title,
    bytes: Buffer.byteLength(page.text),
    result: extractPage(page, site, options),
  }));
}

function extractPage(page: WikiPage, site: SiteInfo, options: ExtractOptions): Outcome['result'] {
  const reason = unwanted(page);
  if (reason !== undefined) return reason;
  const text = wikitextToText(page.text, {
    title: page.title,
    date: /^\d{4}-\d\d-\d\d$/.test(options.snapshot) ? options.snapshot : page.timestamp.slice(0, 10),
    namespaces: site.namespaces,
    variant: options.variant,
    dropSections: options.drop_sections,
  });
  return text === '' ? 'empty' : text.length < options.min_characters ? 'short' : toRow(page, site, text, options);
}

/** Why a page is not an article. */
function unwanted(page: WikiPage): string | undefined {
  if (page.namespace !== 0) return 'namespace';
  if (page.redirect !== undefined || /^\s*#(?:redirect|重定向)\s*:?\s*\[\[/i.test(page.text)) return 'redirect';
  return page.model === 'wikitext' ? undefined : 'model';
}

function toRow(page: WikiPage, site: SiteInfo, text: string, options: ExtractOptions) {
  const lang = options.lang || site.lang;
  return {
    id: `${site.dbname || `${lang.replaceAll('-', '_')}wiki`}:${page.id}`,
    source: options.source,
    snapshot: options.snapshot,
    url:
      site.baseUrl === ''
        ? ''
        : site.baseUrl + encodeURI(page.title.replaceAll(' ', '_')).replace(/[?#]/g, encodeURIComponent),
    title: page.title,
    text,
    lang,
    meta: canonicalJson(page.timestamp === '' ? {} : { timestamp: page.timestamp }),
  };
}

serveTasks(tasks);
