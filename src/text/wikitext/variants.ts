/** Which alternatives stand in for a missing one, nearest first; see MediaWiki's LanguageZh. */
const FALLBACKS: Readonly<Record<string, readonly string[]>> = {
  'zh-hans': ['zh-hans', 'zh-cn', 'zh-sg', 'zh-my', 'zh'],
  'zh-cn': ['zh-cn', 'zh-hans', 'zh-sg', 'zh-my', 'zh'],
  'zh-sg': ['zh-sg', 'zh-hans', 'zh-cn', 'zh-my', 'zh'],
  'zh-hant': ['zh-hant', 'zh-tw', 'zh-hk', 'zh-mo', 'zh'],
  'zh-tw': ['zh-tw', 'zh-hant', 'zh-hk', 'zh-mo', 'zh'],
  'zh-hk': ['zh-hk', 'zh-hant', 'zh-mo', 'zh-tw', 'zh'],
};

const RULE = /^\s*([a-z]{2,3}(?:-[a-z]{2,8})?)\s*:([\s\S]*)$/;

/**
 * Language conversion markup without its `-{ }-`: `zh-hans:计算机;zh-hant:電腦` in the wanted script, or the text itself
 * where it has no alternatives. Rules that only define (`H`, `T`, `-`) show nothing.
 * Syntax: https://www.mediawiki.org/wiki/Writing_systems/Syntax
 */
export function renderVariant(content: string, variant: string): string {
  const bar = content.indexOf('|');
  const flags = bar >= 0 && /^[A-Z;\-\s]*$/.test(content.slice(0, bar)) ? content.slice(0, bar) : '';
  const body = bar >= 0 && /^[A-Za-z;\-\s]*$/.test(content.slice(0, bar)) ? content.slice(bar + 1) : content;
  if (/[HTN-]/.test(flags)) return '';
  if (flags.includes('R')) return body;
  const choices = new Map<string, string>();
  for (const item of body.split(';')) {
    const arrow = item.indexOf('=>');
    const rule = RULE.exec(arrow >= 0 ? item.slice(arrow + 2) : item);
    if (rule !== null) choices.set(rule[1] as string, (rule[2] as string).trim());
    else if (item.trim() !== '') return body;
  }
  if (choices.size === 0) return body;
  for (const code of FALLBACKS[variant] ?? [variant]) {
    const text = choices.get(code);
    if (text !== undefined) return text;
  }
  return [...choices.values()][0] ?? '';
}
