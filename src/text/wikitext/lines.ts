import { LINE_BREAK, LITERAL } from './marks.ts';
import { stripQuotes } from './quotes.ts';
import { isDroppedSection } from './sections.ts';

/**
 * Lay out text whose inline markup is resolved: headings and list items on lines of their own, other lines joined into
 * paragraphs, blank lines between blocks. Reference sections, headings without text and the remains of broken tables
 * are dropped.
 */
export function layOut(text: string, dropSections: readonly string[]): string {
  const extra = new Set(dropSections.map((name) => name.trim().toLowerCase()));
  const blocks: string[] = [];
  /** Headings that wait for text below them. */
  let headings: { level: number; title: string }[] = [];
  /** Level of the heading whose section is being dropped; 0 for none. */
  let dropping = 0;
  let paragraph: string[] = [];
  let list: string[] = [];
  const numbers = new ItemNumbers();

  const emit = (block: string): void => {
    for (const { title } of headings) blocks.push(title);
    headings = [];
    blocks.push(block);
  };
  const endBlock = (): void => {
    if (list.length > 0) emit(list.join('\n'));
    if (paragraph.length > 0) emit(joinLines(paragraph));
    list = [];
    paragraph = [];
    numbers.end();
  };

  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === '') {
      endBlock();
      continue;
    }
    const heading = headingOf(line);
    if (heading !== undefined) {
      endBlock();
      const title = tidy(heading.title);
      if (dropping > 0 && heading.level > dropping) continue;
      dropping = isDroppedSection(title, extra) ? heading.level : 0;
      headings = headings.filter((waiting) => waiting.level < heading.level);
      if (dropping === 0 && title !== '') headings.push({ level: heading.level, title });
      continue;
    }
    if (dropping > 0 || isDebris(line)) continue;
    const bullets = /^[*#:;]+/.exec(line)?.[0] ?? '';
    const content = tidy(line.slice(bullets.length));
    if (content === '') {
      if (bullets === '' || paragraph.length > 0) endBlock();
    } else if (bullets !== '') {
      if (paragraph.length > 0) endBlock();
      list.push(numbers.next(bullets) + content);
    } else {
      if (list.length > 0) endBlock();
      // A line that begins with a space stands alone.
      paragraph.push((raw.startsWith(' ') ? LINE_BREAK : '') + content);
    }
  }
  endBlock();
  return blocks.join('\n\n');
}

/** Lists nested deeper than this are damage; their items get no numbers. */
const MAX_NESTING = 20;

/** Numbers of the items of a list, which start again in each nested list. */
class ItemNumbers {
  private readonly counts = new Map<string, number>();

  /** What stands before an item with these bullets: `1. ` and so on for `#`, else nothing. */
  next(bullets: string): string {
    for (const open of this.counts.keys()) if (!bullets.startsWith(open)) this.counts.delete(open);
    if (!bullets.endsWith('#') || bullets.length > MAX_NESTING) return '';
    const number = (this.counts.get(bullets) ?? 0) + 1;
    this.counts.set(bullets, number);
    return `${number}. `;
  }

  end(): void {
    this.counts.clear();
  }
}

/** `== Title ==`, found by counting so that a line of a thousand `=` costs nothing. */
function headingOf(line: string): { level: number; title: string } | undefined {
  if (line[0] !== '=' || line.at(-1) !== '=' || line.length < 3) return undefined;
  let lead = 0;
  while (line[lead] === '=') lead++;
  let tail = 0;
  while (tail < line.length - lead && line[line.length - 1 - tail] === '=') tail++;
  const level = Math.min(lead, tail, 6);
  return level === 0 ? undefined : { level, title: line.slice(level, line.length - level) };
}

/** Rows of tables that were never closed, rules, and arguments of templates that were never closed. */
function isDebris(line: string): boolean {
  return (
    line[0] === '|' ||
    line.startsWith('{|') ||
    line.startsWith('----') ||
    (line[0] === '!' && line.includes('!!')) ||
    line === '}}' ||
    line === ']]'
  );
}

/** A line without quotes, switches, doubled spaces and the holes that dropped templates leave in a sentence. */
function tidy(line: string): string {
  return (
    stripQuotes(line)
      .split(LINE_BREAK)
      .map((part) =>
        part
          .replace(/__[A-Z]{3,30}__|__[\u4e00-\u9fff]{2,8}__/g, '')
          .replaceAll(LITERAL, '')
          .replace(/\s+/g, ' ')
          .replace(/([,;，；、])(?: ?[,;，；、])+/g, '$1')
          .replace(/[(（][\s,;:，；、]*[)）]/g, '')
          .replace(/([(（])[\s,;，；、]+/g, '$1')
          .replace(/[ ,;]([)）])/g, '$1')
          .replace(/ {2,}/g, ' ')
          .replace(/ ([,.])(?=\s|$)/g, '$1')
          .trim(),
      )
      // A comma or full stop by itself follows a formula that was omitted.
      .filter((part) => part !== '' && !/^[,.;:]$/.test(part))
      .join(LINE_BREAK)
  );
}

/** Lines of one paragraph, joined with a space except between Chinese or Japanese characters. */
function joinLines(lines: readonly string[]): string {
  const parts: string[] = [];
  lines.forEach((line, i) => {
    if (i > 0 && !(WIDE.test(lines[i - 1]?.at(-1) ?? '') && WIDE.test(line[0] ?? ''))) parts.push(' ');
    parts.push(line);
  });
  return parts
    .join('')
    .split(LINE_BREAK)
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .join('\n');
}
const WIDE = /[\u3000-\u30ff\u3400-\u9fff\uff00-\uffef]/;
