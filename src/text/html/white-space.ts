/** Characters other than white space and controls. */
export function visibleLength(text: string): number {
  let count = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 0x20 && code !== 0xa0 && code !== 0x3000) count++;
  }
  return count;
}

/** Runs of white space, of whatever kind, as single spaces. */
export function collapseSpace(text: string): string {
  return text.replace(/\s\s+|[^\S ]/g, ' ');
}

/** One line of text without white space around it. */
export function tidy(text: string): string {
  return collapseSpace(text).replace(invisible, '').trim();
}

/** Lines of text, each tidy, without empty ones. */
export function tidyLines(text: string): string {
  const lines = text.split('\n').map(tidy);
  return lines.filter((line) => line !== '').join('\n');
}

/** Soft hyphens, zero-width spaces and control characters carry no text. */
const invisible = /[\p{Cc}\u00ad\u200b\u2060\ufeff]/gu;
