/**
 * Join the lines of hard-wrapped plain text into paragraphs, one per line, separated by blank lines. Verse, tables and
 * lists keep their lines: a paragraph is joined when its breaks are where filling to the wrap width would have put
 * them, that is, where the next line's first word would not have fitted.
 * @example joinParagraphs('It was a dark\nand stormy\nnight.') // with a wrap width of 14: 'It was a dark and stormy
 * night.'
 */
export function joinParagraphs(text: string): string {
  const paragraphs = text
    .split(/\n(?:[ \t\u00a0]*\n)+/)
    .map((block) => block.split('\n').map((line) => line.trimEnd()));
  const width = wrapWidth(paragraphs);
  const joined = paragraphs.map((lines) => {
    const isFilled = width <= maxWrapWidth && (isFilledTo(lines, width) || isNarrowlyFilled(lines));
    const parts = lines.map((line) => line.trim().replace(/[ \t]+/g, ' ')).filter((line) => line !== '');
    return isFilled ? parts.map((part, i) => part + glue(part, parts[i + 1])).join('') : parts.join('\n');
  });
  return joined.filter((paragraph) => paragraph !== '').join('\n\n');
}

/** Beyond this the text isn't wrapped by hand or `fmt`: a line is a paragraph or a sentence already. */
const maxWrapWidth = 100;
/** Maximum number of columns by which a wrapped line may be shorter than the width: editors wrap unevenly. */
const slack = 3;

/** The 95th percentile of the lengths of lines that have a line after them in their paragraph. */
function wrapWidth(paragraphs: readonly (readonly string[])[]): number {
  const histogram = new Uint32Array(maxWrapWidth + 2);
  let total = 0;
  for (const lines of paragraphs)
    for (let i = 0; i < lines.length - 1; i++) {
      const bin = Math.min((lines[i] ?? '').length, maxWrapWidth + 1);
      histogram[bin] = (histogram[bin] ?? 0) + 1;
      total++;
    }
  let seen = 0;
  for (let width = 0; width < histogram.length; width++) {
    seen += histogram[width] ?? 0;
    if (seen >= total * 0.95) return width;
  }
  return 0;
}

/** Whether at least half of the breaks are forced by the width. */
function isFilledTo(lines: readonly string[], width: number): boolean {
  let forced = 0;
  for (let i = 0; i < lines.length - 1; i++) if (isForced(lines[i] ?? '', lines[i + 1] ?? '', width - slack)) forced++;
  return forced * 2 >= lines.length - 1;
}

/** A block quotation is filled to a width of its own; verse is not, so every break must be forced. */
function isNarrowlyFilled(lines: readonly string[]): boolean {
  const trimmed = lines.map((line) => line.trim());
  const width = Math.max(...trimmed.slice(0, 1000).map((line) => line.length));
  return (
    lines.length >= 4 &&
    width >= 50 &&
    trimmed.every((line, i) => i === lines.length - 1 || isForced(line, trimmed[i + 1] ?? '', width))
  );
}

function isForced(line: string, next: string, width: number): boolean {
  const word = /^\s*(\S+)/.exec(next)?.[1] ?? '';
  return line.length + 1 + word.length > width;
}

/** The separator between a line and the next: nothing if it was broken at a dash or at the hyphen of a compound. */
function glue(line: string, next: string | undefined): string {
  if (next === undefined) return '';
  return /(?:--|\u2014|\p{L}-)$/u.test(line.slice(-2)) && /^[\p{L}\p{N}"'\u201c\u2018]/u.test(next) ? '' : ' ';
}
