import { resolveInline } from './inline.ts';
import { layOut } from './lines.ts';
import { linkPrefixes } from './links.ts';

export interface WikitextOptions {
  /** Title of the page, for `{{PAGENAME}}`. */
  readonly title?: string;
  /** Day the dump was taken, YYYY-MM-DD, for `{{CURRENTYEAR}}` and ages. */
  readonly date?: string;
  /** The wiki's own names of the file (6) and category (14) namespaces, from the dump's site info. */
  readonly namespaces?: ReadonlyMap<number, string>;
  /** Which alternative of `-{zh-hans:…;zh-hant:…}-` to keep. */
  readonly variant?: string;
  /** Headings whose sections are omitted, in addition to References, See also, External links and so on. */
  readonly dropSections?: readonly string[];
}

/**
 * Wikitext as readable text: paragraphs separated by blank lines, headings and list items on lines of their own.
 * Templates with prose are kept; tables, references, files and reference sections are not. Markup that is never closed
 * is read as text. Time and memory grow linearly with the page, however deep its markup is nested.
 * Syntax: https://www.mediawiki.org/wiki/Markup_spec
 * @example
 * wikitextToText("'''Riga''' is the [[capital city|capital]] of [[Latvia]].<ref>…</ref>") // 'Riga is the capital of
 * Latvia.'
 */
export function wikitextToText(wikitext: string, options: WikitextOptions = {}): string {
  const inline = resolveInline(wikitext, {
    page: { title: options.title ?? '', date: options.date ?? '' },
    prefixes: linkPrefixes(options.namespaces),
    variant: options.variant ?? 'zh-hans',
  });
  return layOut(inline, options.dropSections ?? []);
}
