import { Tokenizer } from 'htmlparser2';
import {
  blockElements,
  contentElements,
  impliedEnds,
  isBoilerplate,
  siteHeader,
  skippedElements,
  voidElements,
  watchedAttributes,
} from './elements.ts';
import { collapseSpace, tidy, tidyLines, visibleLength } from './white-space.ts';

/** A run of text without a block boundary in it. */
export interface Block {
  readonly text: string;
  /** Characters of `text` that are in links, white space not counted. */
  readonly linkChars: number;
  readonly kind: 'heading' | 'item' | 'text';
  /** Within `<main>` or `<article>`. */
  readonly inMain: boolean;
}

export interface Page {
  readonly blocks: readonly Block[];
  readonly title: string;
  /** The `lang` attribute of `<html>`. */
  readonly lang: string;
}

/** One open element. */
interface Open {
  readonly name: string;
  readonly skips: boolean;
  readonly links: boolean;
  readonly main: boolean;
}

/** How far up an inline end tag looks for its start tag; more nesting than this is damage. */
const inlineReach = 64;

/**
 * Split an HTML page into blocks of text. Elements that are not content are omitted; those that only their attributes
 * identify, only with `byAttributes`. One pass over the page without recursion: time and memory grow linearly with its
 * length, whatever the nesting.
 */
export function readBlocks(html: string, byAttributes: boolean): Page {
  const reader = new BlockReader(html, byAttributes);
  const tokenizer = new Tokenizer({ decodeEntities: true }, reader);
  tokenizer.write(html);
  tokenizer.end();
  return reader.page();
}

/** Receives the tokenizer's events. All offsets refer to the whole page, which is written in one piece. */
class BlockReader {
  private readonly html: string;
  private readonly byAttributes: boolean;
  private readonly blocks: Block[] = [];
  private readonly stack: Open[] = [];
  private readonly openByName = new Map<string, number>();
  private skips = 0;
  private links = 0;
  private mains = 0;
  private foreign = 0;
  private parts: string[] = [];
  private linkChars = 0;
  private afterBreak = false;
  private titleParts: string[] = [];
  private socialTitle = '';
  private lang = '';
  private tag = '';
  private attribute = '';
  private attributes = new Map<string, string>();

  constructor(html: string, byAttributes: boolean) {
    this.html = html;
    this.byAttributes = byAttributes;
  }

  page(): Page {
    const heading = this.blocks.find((block) => block.kind === 'heading')?.text ?? '';
    return {
      blocks: this.blocks,
      title: tidy(this.titleParts.join('')) || tidy(this.socialTitle) || heading,
      lang: this.lang,
    };
  }

  onopentagname(start: number, end: number): void {
    this.tag = this.html.slice(start, end).toLowerCase();
    if (this.attributes.size > 0) this.attributes = new Map();
  }

  onattribname(start: number, end: number): void {
    const name = this.html.slice(start, end).toLowerCase();
    this.attribute = watchedAttributes.has(name) && !this.attributes.has(name) ? name : '';
    if (this.attribute !== '') this.attributes.set(name, '');
  }

  onattribdata(start: number, end: number): void {
    if (this.attribute !== '')
      this.attributes.set(this.attribute, (this.attributes.get(this.attribute) ?? '') + this.html.slice(start, end));
  }

  onattribentity(codepoint: number): void {
    if (this.attribute !== '')
      this.attributes.set(
        this.attribute,
        (this.attributes.get(this.attribute) ?? '') + String.fromCodePoint(codepoint),
      );
  }

  onattribend(): void {
    this.attribute = '';
  }

  onopentagend(): void {
    const { tag, attributes } = this;
    for (let top = this.stack.at(-1); top !== undefined && this.endsWithTag(top.name, tag); top = this.stack.at(-1))
      this.pop();
    if (blockElements.has(tag)) this.flush();
    if (tag === 'br') this.lineBreak();
    else if (tag === 'td' || tag === 'th') this.add('\t');
    else if (tag === 'hr') this.flush();
    else if (
      tag === 'meta' &&
      ['og:title', 'twitter:title'].includes(attributes.get('property') ?? attributes.get('name') ?? '')
    )
      this.socialTitle ||= attributes.get('content') ?? '';
    else if (tag === 'html') this.lang ||= attributes.get('lang') ?? '';
    if (voidElements.has(tag)) return;
    const isSkipped = skippedElements.has(tag) || (tag === siteHeader && this.mains === 0);
    this.push({
      name: tag,
      skips:
        isSkipped ||
        (this.byAttributes && !contentElements.has(tag) && attributes.size > 0 && isBoilerplate(attributes)),
      links: tag === 'a' && attributes.has('href'),
      main: tag === 'main' || tag === 'article' || attributes.get('role') === 'main',
    });
  }

  onselfclosingtag(): void {
    const isForeign = this.foreign > 0 || this.tag === 'svg' || this.tag === 'math';
    this.onopentagend();
    if (isForeign && !voidElements.has(this.tag)) this.pop();
  }

  onclosetag(start: number, end: number): void {
    const tag = this.html.slice(start, end).toLowerCase();
    if (tag === 'br') return this.lineBreak();
    if ((this.openByName.get(tag) ?? 0) === 0) return;
    if (isInline(tag)) {
      // A stray </b> must not end the block around it.
      const lowest = Math.max(0, this.stack.length - inlineReach);
      let at = this.stack.length - 1;
      while (at >= lowest && this.stack[at]?.name !== tag && isInline(this.stack[at]?.name ?? '')) at--;
      if (at < lowest || this.stack[at]?.name !== tag) return;
      while (this.stack.length > at) this.pop();
      return;
    }
    while (this.pop() !== tag);
  }

  ontext(start: number, end: number): void {
    this.add(this.html.slice(start, end));
  }

  ontextentity(codepoint: number): void {
    this.add(String.fromCodePoint(codepoint));
  }

  isInForeignContext(): boolean {
    return this.foreign > 0;
  }

  onend(): void {
    this.flush();
  }

  oncdata(): void {}
  oncomment(): void {}
  ondeclaration(): void {}
  onprocessinginstruction(): void {}

  private endsWithTag(open: string, tag: string): boolean {
    if (open === 'p') return blockElements.has(tag);
    return open === 'head' ? tag === 'body' : (impliedEnds[tag]?.has(open) ?? false);
  }

  private push(open: Open): void {
    this.stack.push(open);
    this.openByName.set(open.name, (this.openByName.get(open.name) ?? 0) + 1);
    this.track(open, 1);
  }

  private pop(): string {
    const open = this.stack.at(-1);
    if (open === undefined) return '';
    if (blockElements.has(open.name)) this.flush();
    this.stack.pop();
    this.openByName.set(open.name, (this.openByName.get(open.name) ?? 1) - 1);
    this.track(open, -1);
    return open.name;
  }

  private track(open: Open, by: 1 | -1): void {
    if (open.skips) this.skips += by;
    if (open.links) this.links += by;
    if (open.main) this.mains += by;
    if (open.name === 'svg' || open.name === 'math') this.foreign += by;
  }

  private lineBreak(): void {
    if (this.afterBreak) this.flush();
    else this.add('\n', true);
    this.afterBreak = true;
  }

  private add(text: string, isVerbatim = false): void {
    const top = this.stack.at(-1);
    if (top?.name === 'title' && this.foreign === 0) this.titleParts.push(text);
    if (this.skips > 0 || top?.name === 'title') return;
    const isPreformatted = isVerbatim || (this.openByName.get('pre') ?? 0) > 0;
    this.parts.push(isPreformatted ? text : collapseSpace(text));
    if (this.links > 0) this.linkChars += visibleLength(text);
    if (this.afterBreak && text.trim() !== '') this.afterBreak = false;
  }

  private flush(): void {
    if (this.parts.length === 0) return;
    const text = tidyLines(this.parts.join(''));
    if (text !== '') this.blocks.push({ text, linkChars: this.linkChars, kind: this.kind(), inMain: this.mains > 0 });
    this.parts = [];
    this.linkChars = 0;
    this.afterBreak = false;
  }

  private kind(): Block['kind'] {
    for (let at = this.stack.length - 1; at >= Math.max(0, this.stack.length - inlineReach); at--) {
      const name = this.stack[at]?.name ?? '';
      if (/^h[1-6]$/.test(name)) return 'heading';
      if (name === 'li' || name === 'tr' || name === 'dt' || name === 'dd') return 'item';
      if (!isInline(name) && name !== 'div' && name !== 'p') return 'text';
    }
    return 'text';
  }
}

const isInline = (name: string): boolean =>
  !blockElements.has(name) && !skippedElements.has(name) && name !== 'td' && name !== 'th';
