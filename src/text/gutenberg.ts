import { joinParagraphs } from './segmentation/paragraphs.ts';

/** A plain-text book without its distributor's header and licence. */
export interface Book {
  readonly text: string;
  readonly title: string;
  readonly author: string;
  /** ISO 639-1 code, if the header names a known language. */
  readonly lang: string;
  /** Project Gutenberg's number of the book; empty for other books. */
  readonly ebook: string;
}

/**
 * Read a plain-text book: Project Gutenberg's header, credits and licence are removed, title, author and language are
 * kept, and hard-wrapped lines become paragraphs. In a book from elsewhere, only paragraphs are joined.
 * @param isWrapped whether lines may be hard-wrapped; if they are known to be paragraphs or verse, they stay
 */
export function readBook(raw: string, isWrapped = true): Book {
  const lines = raw.replace(/\r\n?|\f/g, '\n').split('\n');
  const start = headerEnd(lines);
  const body = lines.slice(start, licenceStart(lines, start));
  const header = lines.slice(0, start);
  const isGutenberg = start > 0;
  const own = (isGutenberg ? withoutCredits(body) : body).join('\n');
  const text = isWrapped ? joinParagraphs(own) : own.trim();
  return {
    text: isGutenberg ? plainMarks(text) : text,
    title: field(header, 'Title'),
    author: field(header, 'Author'),
    lang: languages[field(header, 'Language').toLowerCase()] ?? '',
    ebook: /\[e(?:book|text) *#? *(\d+)\]/i.exec(header.join('\n'))?.[1] ?? '',
  };
}

/** No header is longer: the 1990s "small print" has about 400 lines. */
const headerLines = 800;
const startMark = /^\s*\*{2,}\s*START OF (?:THE|THIS) PROJECT GUTENBERG/i;
const smallPrintMark = /^\s*\*?END\W{0,3}THE SMALL PRINT|\*END\*\s*$/i;
const endMark =
  /^\s*(?:\*{2,}\s*END OF (?:THE|THIS) PROJECT GUTENBERG|End of (?:the |this )?Project Gutenberg(?:'s|\u2019s)? )/i;

/** The line after the header, or 0 when there is none. */
function headerEnd(lines: readonly string[]): number {
  const limit = Math.min(lines.length, headerLines);
  let end = 0;
  for (let i = 0; i < limit; i++) {
    const line = lines[i] ?? '';
    if (smallPrintMark.test(line)) end = i + 1;
    if (!startMark.test(line)) continue;
    // The mark may be wrapped; it ends with asterisks.
    end = i + 1;
    while (!/\*{2,}\s*$/.test(lines[end - 1] ?? '') && end < i + 4 && (lines[end] ?? '').trim() !== '') end++;
    break;
  }
  return end;
}

/** The line of the first end mark after the header, or the end. Some books carry the mark twice, in two spellings. */
function licenceStart(lines: readonly string[], start: number): number {
  if (start === 0) return lines.length;
  for (let i = start; i < lines.length; i++) if (endMark.test(lines[i] ?? '')) return i;
  return lines.length;
}

const creditMark =
  /^\s*\[?(?:(?:Produced|Prepared|Scanned|Digitized|Transcribed|Proofread) (?:by|from)|(?:This )?E-?(?:text|book) (?:was )?(?:prepared|produced|created)|HTML version by|Transcriber['\u2019]s notes?\b)/i;

/** Drop the volunteers' credits among the first paragraphs. */
function withoutCredits(lines: readonly string[]): readonly string[] {
  const kept = [...lines];
  let at = 0;
  for (let paragraph = 0; paragraph < 4 && at < kept.length; paragraph++) {
    while (at < kept.length && (kept[at] ?? '').trim() === '') at++;
    let end = at;
    while (end < kept.length && (kept[end] ?? '').trim() !== '') end++;
    if (creditMark.test(kept[at] ?? '')) kept.splice(at, end - at);
    else at = end;
  }
  return kept;
}

/**
 * `_emphasis_` and `[Illustration]` stand for typography and plates in plain text; neither was written by the author.
 */
function plainMarks(text: string): string {
  return text
    .replace(/\[Illustration(?::[^\]]{0,500})?\]/g, '')
    .replace(/(?<![\p{L}\p{N}_])_([^_\n]{1,400})_(?![\p{L}\p{N}_])/gu, '$1')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

/** A header field; long values continue on indented lines. */
function field(header: readonly string[], name: string): string {
  const at = header.findIndex((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`));
  if (at < 0) return '';
  const parts = [(header[at] ?? '').slice(name.length + 1).trim()];
  for (let i = at + 1; i < header.length && /^\s+\S/.test(header[i] ?? ''); i++) parts.push((header[i] ?? '').trim());
  return parts.join(' ').trim();
}

/** The languages that Project Gutenberg has over fifty books in. */
const languages: Readonly<Record<string, string>> = {
  afrikaans: 'af',
  catalan: 'ca',
  chinese: 'zh',
  czech: 'cs',
  danish: 'da',
  dutch: 'nl',
  english: 'en',
  esperanto: 'eo',
  finnish: 'fi',
  french: 'fr',
  german: 'de',
  greek: 'el',
  hungarian: 'hu',
  italian: 'it',
  japanese: 'ja',
  latin: 'la',
  norwegian: 'no',
  polish: 'pl',
  portuguese: 'pt',
  spanish: 'es',
  swedish: 'sv',
  tagalog: 'tl',
  welsh: 'cy',
};
