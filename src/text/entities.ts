import { decodeHTMLStrict } from 'entities';

/** One HTML entity, with `&` and `;`. The longest name has 31 characters. */
export const ENTITY = /&(?:[A-Za-z][A-Za-z\d]{1,30}|#\d{1,7}|#[xX][\da-fA-F]{1,6});/g;

/**
 * The text of one entity, given with `&` and `;`; the entity itself when HTML does not define it. Control characters,
 * soft hyphens and direction marks are dropped: they are invisible and would split words.
 */
export function decodeEntity(entity: string): string {
  const decoded = decodeHTMLStrict(entity);
  return INVISIBLE.test(decoded) ? '' : decoded;
}

/** Replace every HTML entity in a text, once: `&amp;lt;` becomes `&lt;`. */
export function decodeEntities(text: string): string {
  return text.includes('&') ? text.replace(ENTITY, decodeEntity) : text;
}

const INVISIBLE = /^[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200e\u200f]$/;
