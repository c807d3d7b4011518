import type { Change } from '../core/event.ts';
import type { Ingredients } from './action-cache.ts';

/** The differences between two sets of ingredients, as flat paths (`config.vocab_size`) with old and new values. */
export function changes(before: Ingredients | undefined, after: Ingredients): Change[] {
  if (before === undefined) return [{ ingredient: 'first run' }];
  const old = flatten(before);
  const now = flatten(after);
  const result: Change[] = [];
  for (const [ingredient, value] of now) {
    const was = old.get(ingredient);
    if (was !== value) result.push({ ingredient, ...(was === undefined ? {} : { before: was }), after: value });
  }
  for (const [ingredient, value] of old) if (!now.has(ingredient)) result.push({ ingredient, before: value });
  return result;
}

function flatten(value: unknown, path = '', into = new Map<string, string>()): Map<string, string> {
  if (Array.isArray(value)) {
    // A [name, digest] pair reads better under its name than under two numbers.
    const pairs = value.every((item) => Array.isArray(item) && item.length === 2 && typeof item[0] === 'string');
    value.forEach((item: unknown, index) => {
      if (pairs) {
        const [name, digest] = item as [string, unknown];
        flatten(digest, `${path}[${name}]`, into);
      } else flatten(item, `${path}[${index}]`, into);
    });
    if (value.length === 0) into.set(path, '[]');
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value))
      if (item !== undefined) flatten(item, path === '' ? key : `${path}.${key}`, into);
  } else into.set(path, typeof value === 'string' ? value : JSON.stringify(value));
  return into;
}
