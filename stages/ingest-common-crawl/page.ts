import { canonicalJson } from '../../src/core/artifact.ts';
import { readHttpResponse } from '../../src/formats/http-message.ts';
import { targetUri, type WarcRecord } from '../../src/formats/warc.ts';
import { decodeText } from '../../src/text/encoding/decode.ts';
import { decodeHtml } from '../../src/text/html/charset.ts';
import { extractMainText } from '../../src/text/html/main-text.ts';

/** The columns of a document that come from its record. */
export interface Page {
  readonly id: string;
  readonly url: string;
  readonly title: string;
  readonly text: string;
  readonly lang: string;
  readonly meta: string;
}

/** The longest page worth parsing; Common Crawl itself cuts off at 1 MiB, since 2025 at 5 MiB. */
const maxPageBytes = 8 * 1024 * 1024;

/**
 * The page of a record, the reason why there is none, or `undefined` for records that are not pages, such as requests.
 */
export function readPage(record: WarcRecord): Page | string | undefined {
  switch (record.type) {
    case 'conversion':
      return wetPage(record);
    case 'response':
      return record.block.length > 0 && /^(?:dns|whois|ftp):/i.test(targetUri(record.fields))
        ? undefined
        : responsePage(record);
    case 'resource':
      return isHtml(record.fields.get('content-type') ?? '')
        ? htmlPage(record, record.block, record.fields.get('content-type') ?? '')
        : undefined;
    default:
      return undefined;
  }
}

/** Text that Common Crawl extracted; its first line is the page's title. */
function wetPage(record: WarcRecord): Page | string {
  if (record.block.length > maxPageBytes) return 'too-large';
  const text = tidyLines(decodeText(record.block).text);
  const title = text.slice(0, 300).split('\n')[0] ?? '';
  return page(record, { title, text, lang: languageOf(record), meta: {} });
}

function tidyLines(text: string): string {
  const lines = text.split(/\r\n?|\n/).map((line) => line.trimEnd());
  return lines
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function responsePage(record: WarcRecord): Page | string {
  const response = readHttpResponse(record.block, maxPageBytes);
  if (typeof response === 'string') return response;
  if (response.status !== 200) return 'http-status';
  const contentType = response.fields.get('content-type') ?? record.fields.get('warc-identified-payload-type') ?? '';
  return isHtml(contentType) ? htmlPage(record, response.body, contentType) : 'content-type';
}

function htmlPage(record: WarcRecord, body: Uint8Array, contentType: string): Page | string {
  if (body.length > maxPageBytes) return 'too-large';
  const { html, encoding } = decodeHtml(body, contentType);
  const { text, title, lang } = extractMainText(html);
  return page(record, {
    title,
    text,
    lang: '',
    meta: { encoding, html_lang: lang, truncated: record.fields.get('warc-truncated') ?? '' },
  });
}

function page(
  record: WarcRecord,
  parts: { title: string; text: string; lang: string; meta: Record<string, string> },
): Page {
  const url = targetUri(record.fields);
  const date = record.fields.get('warc-date') ?? '';
  const meta = Object.entries({ date, ...parts.meta }).filter(([, value]) => value !== '');
  // The standard makes the record id unique; a page and its WET text have different ids.
  const id = /^<?(?:urn:uuid:)?([^>]*)>?$/.exec(record.fields.get('warc-record-id') ?? '')?.[1] || `${url}@${date}`;
  return {
    id,
    url,
    title: parts.title,
    text: parts.text,
    lang: parts.lang,
    meta: canonicalJson(Object.fromEntries(meta)),
  };
}

function isHtml(contentType: string): boolean {
  return /^\s*(?:text\/html|application\/xhtml\+xml)\b/i.test(contentType);
}

/**
 * Common Crawl names languages by ISO 639-3, the likeliest first; documents have the ISO 639-1 code if there is one.
 */
function languageOf(record: WarcRecord): string {
  const first = (record.fields.get('warc-identified-content-language') ?? '').split(',')[0]?.trim() ?? '';
  if (!/^[a-z]{2,3}$/i.test(first)) return '';
  return new Intl.Locale(first).language ?? '';
}

/** The crawl that a file belongs to, according to its warcinfo record. */
export function snapshotOf(warcinfo: WarcRecord): string {
  return /^isPartOf:\s*(\S+)\s*$/im.exec(Buffer.from(warcinfo.block).toString('utf8', 0, 10_000))?.[1] ?? '';
}
