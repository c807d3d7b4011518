/** Marks between the inline and the line pass; neither character can occur in XML. */

/** Before a character that is text although it looks like markup. */
export const LITERAL = '\u0000';
/** A line break inside a paragraph. */
export const LINE_BREAK = '\u0001';

/** Keep quotes, and what begins a list, heading or table row, from being read as markup. */
export function protect(text: string): string {
  return text.replace(/^[*#:;=|!{ ]|'/gm, (char) => LITERAL + char);
}
