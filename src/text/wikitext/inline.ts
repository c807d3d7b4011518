import { decodeEntity, ENTITY } from '../entities.ts';
import { renderExternalLink, renderLink, type LinkPrefixes } from './links.ts';
import { LINE_BREAK, LITERAL, protect } from './marks.ts';
import { renderTag, skipTag, tagAt } from './tags.ts';
import { renderTemplate, type PageFacts } from './templates.ts';
import { renderVariant } from './variants.ts';

export interface InlineOptions {
  readonly page: PageFacts;
  readonly prefixes: LinkPrefixes;
  readonly variant: string;
}

type FrameKind = 'template' | 'parameter' | 'link' | 'external' | 'table' | 'html-table' | 'variant';

/** Open markup: its content is `parts` from `start`, split into arguments at `bars`. */
interface Frame {
  readonly kind: FrameKind;
  readonly start: number;
  readonly bars: number[];
}

/** Deeper than this, MediaWiki does not expand templates either; they are omitted, which keeps nesting linear. */
const MAX_DEPTH = 40;

/** Everything that may mean something inside a line. Each alternative is short, so the scan is linear. */
const SPECIAL = new RegExp(
  String.raw`\{\{|\}\}|\{\||\|\}|\[\[|\]\]|\[(?=https?:|//|ftps?:|mailto:)|\]|\||<|-\{|\}-|\n|${ENTITY.source}`,
  'g',
);

/**
 * One pass over the page with a stack of open markup. Text goes to `parts`; closing markup replaces its content with
 * its text. Markup still open at the end just leaves its text there.
 */
export function resolveInline(wikitext: string, options: InlineOptions): string {
  const source = stripComments(wikitext);
  const parts: string[] = [];
  const stack: Frame[] = [];
  const openCount: Record<FrameKind, number> = {
    template: 0,
    parameter: 0,
    link: 0,
    external: 0,
    table: 0,
    'html-table': 0,
    variant: 0,
  };
  let poems = 0;

  const top = (): FrameKind | undefined => stack.at(-1)?.kind;
  const open = (kind: FrameKind): void => {
    stack.push({ kind, start: parts.length, bars: [] });
    openCount[kind]++;
  };
  /** The innermost frame of a kind; those opened inside it and never closed become text. */
  const close = (kind: FrameKind): Frame => {
    for (;;) {
      const frame = stack.pop() as Frame;
      openCount[frame.kind]--;
      if (frame.kind === kind) return frame;
    }
  };
  const abandon = (kind: FrameKind): void => void close(kind);
  /** Take a closed frame's arguments out of `parts`. */
  const take = (frame: Frame): string[] => {
    const args: string[] = [];
    let from = frame.start;
    for (const bar of frame.bars) {
      args.push(parts.slice(from, bar).join(''));
      from = bar + 1;
    }
    args.push(parts.slice(from).join(''));
    parts.length = frame.start;
    return args;
  };
  const replace = (frame: Frame, render: (args: string[]) => string): void => {
    if (stack.length >= MAX_DEPTH) parts.length = frame.start;
    else parts.push(render(take(frame)));
  };

  let at = 0;
  while (at < source.length) {
    SPECIAL.lastIndex = at;
    const match = SPECIAL.exec(source);
    if (match === null) {
      parts.push(source.slice(at));
      break;
    }
    if (match.index > at) parts.push(source.slice(at, match.index));
    const token = match[0];
    at = match.index + token.length;
    switch (token) {
      case '{{':
        if (source[at] === '{' && source[at + 1] !== '{') {
          open('parameter');
          at++;
        } else open('template');
        break;
      case '}}':
        if (top() === 'parameter' && source[at] === '}') {
          at++;
          replace(close('parameter'), (args) => args[1] ?? '');
        } else if (openCount.template > 0) replace(close('template'), (args) => renderTemplate(args, options.page));
        else if (openCount.parameter === 0) parts.push(token);
        break;
      case '[[':
        open('link');
        break;
      case ']]':
        while (top() === 'external') abandon('external');
        if (top() === 'link') replace(close('link'), (args) => renderLink(args, options.prefixes));
        else if (openCount.link === 0) parts.push(token);
        break;
      case '[':
        open('external');
        break;
      case ']':
        if (top() === 'external') replace(close('external'), (args) => renderExternalLink(args.join('|')));
        else parts.push(token);
        break;
      case '{|':
        if (isLineStart(source, match.index)) open('table');
        parts.push(token);
        break;
      case '|}':
        if (openCount.table > 0 && isLineStart(source, match.index) && (source[at] !== '}' || top() === 'table')) {
          parts.length = close('table').start;
          break;
        }
        at--;
        bar();
        break;
      case '|':
        bar();
        break;
      case '-{':
        // `-{{` is a dash before a template.
        if (source[at] === '{') {
          parts.push('-');
          at--;
        } else {
          open('variant');
          parts.push(token);
        }
        break;
      case '}-':
        if (top() === 'variant') {
          const frame = close('variant');
          parts[frame.start] = '';
          replace(frame, (args) => renderVariant(args.join('|'), options.variant));
        } else {
          parts.push('}');
          at--;
        }
        break;
      case '\n':
        // Neither a URL nor a link's target extends beyond the end of a line.
        while (top() === 'external' || (top() === 'link' && stack.at(-1)?.bars.length === 0))
          abandon(top() as FrameKind);
        parts.push(poems > 0 && stack.length === 0 ? LINE_BREAK : '\n');
        break;
      case '<':
        at = tag(match.index);
        break;
      default:
        parts.push(protect(decodeEntity(token)));
    }
  }
  return parts.join('');

  function bar(): void {
    stack.at(-1)?.bars.push(parts.length);
    parts.push('|');
  }

  /** Read a tag that may begin at `from`; returns the position at which to continue. */
  function tag(from: number): number {
    const found = tagAt(source, from);
    if (found === undefined) {
      parts.push('<');
      return from + 1;
    }
    const { name, closing, selfClosing, end } = found;
    if (name === 'table') {
      if (!closing) open('html-table');
      else if (openCount['html-table'] > 0) parts.length = close('html-table').start;
      return end;
    }
    if (name === 'poem') poems = Math.max(0, poems + (closing ? -1 : selfClosing ? 0 : 1));
    if (!closing && !selfClosing) {
      const skipped = skipTag(source, name, end);
      if (skipped !== undefined) {
        parts.push(skipped.text);
        return skipped.end;
      }
    }
    // Quotes on both sides of a tag stay apart.
    parts.push(renderTag(name, closing) || (source[from - 1] === "'" && source[end] === "'" ? LITERAL : ''));
    return end;
  }
}

/**
 * Comments go first, as in MediaWiki; one on a line of its own takes the line with it. One never closed reaches to the
 * end.
 */
function stripComments(text: string): string {
  let start = text.indexOf('<!--');
  if (start < 0) return text;
  const kept: string[] = [];
  let from = 0;
  while (start >= 0) {
    kept.push(text.slice(from, start));
    const end = text.indexOf('-->', start + 4);
    if (end < 0) return kept.join('');
    from = end + 3;
    if (text[from] === '\n' && (start === 0 || text[start - 1] === '\n')) from++;
    start = text.indexOf('<!--', from);
  }
  kept.push(text.slice(from));
  return kept.join('');
}

function isLineStart(text: string, at: number): boolean {
  let before = at - 1;
  while (before >= 0 && (text[before] === ' ' || text[before] === '\t' || text[before] === ':' || text[before] === '*'))
    before--;
  return before < 0 || text[before] === '\n';
}
