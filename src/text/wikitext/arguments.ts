/** Arguments of a template call: positional from 1, as in `{{{1}}}`, and named; trimmed. */
export interface Arguments {
  /** Lower-case, spaces for underscores, without `Template:`. */
  readonly name: string;
  /** The name as written, for templates that show it. */
  readonly rawName: string;
  readonly positional: readonly string[];
  get(key: string | number): string;
}

export function parseArguments(parts: readonly string[]): Arguments {
  const rawName = (parts[0] ?? '').trim();
  const positional: string[] = [];
  const named = new Map<string, string>();
  for (const part of parts.slice(1)) {
    const equals = part.indexOf('=');
    const key = equals < 0 || equals > 40 ? '' : part.slice(0, equals).trim().toLowerCase();
    if (key !== '' && /^[\p{L}\p{M}\d _-]+$/u.test(key)) named.set(key, part.slice(equals + 1).trim());
    else positional.push(part.trim());
  }
  return {
    rawName,
    name: rawName
      .toLowerCase()
      .replace(/[_\s]+/g, ' ')
      .replace(/^(?:template|模板):\s*/, ''),
    positional,
    get: (key) => named.get(String(key)) ?? (typeof key === 'number' ? (positional[key - 1] ?? '') : ''),
  };
}
