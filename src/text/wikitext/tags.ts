import { decodeEntities } from '../entities.ts';
import { LINE_BREAK, protect } from './marks.ts';
import { renderMath } from './math.ts';

/** Tags whose content is not prose. */
const DROPPED = new Set(
  (
    'ref references gallery timeline imagemap graph score hiero includeonly templatedata templatestyles mapframe ' +
    'maplink indicator inputbox categorytree dynamicpagelist ' +
    'syntaxhighlight source pre style script charinsert section quiz listing rss'
  ).split(' '),
);
/** Tags whose content is not wikitext, or reads as something else. */
const RAW = new Set(['nowiki', 'math', 'chem', 'ce', 'sup', 'sub']);
/** Tags that are taken away around their content, and what they leave. */
const KEPT = new Map<string, string>([
  ...(
    'b i u s em strong span font small big tt code kbd samp var cite abbr dfn bdi bdo ins del mark q noinclude ' +
    'onlyinclude ruby rb rt rp rtc rbc wbr center data time strike nowiki translate tvar langconvert tfoot thead ' +
    'tbody caption th td math chem ce sup sub poem a section includeonly ref'
  )
    .split(' ')
    .map((name) => [name, ''] as const),
  ...'div p blockquote ul ol li dl dt dd hr h1 h2 h3 h4 h5 h6 tr gallery references'
    .split(' ')
    .map((name) => [name, '\n'] as const),
  ['br', LINE_BREAK],
  ['table', ''],
]);

const TAG = /<(\/?)([A-Za-z][A-Za-z0-9]{0,20})(?:[\s/][^<>]{0,2000})?>/y;

/** The tag that begins at an index, if it is one that wikitext knows; anything else is text. */
export function tagAt(
  source: string,
  from: number,
): { name: string; closing: boolean; selfClosing: boolean; end: number } | undefined {
  TAG.lastIndex = from;
  const match = TAG.exec(source);
  if (match === null) return undefined;
  const name = (match[2] as string).toLowerCase();
  if (!KEPT.has(name) && !DROPPED.has(name)) return undefined;
  return { name, closing: match[1] === '/', selfClosing: match[0].endsWith('/>'), end: from + match[0].length };
}

/** What a tag leaves behind where its content stays. */
export function renderTag(name: string, closing: boolean): string {
  if (name === 'br' && closing) return '';
  return KEPT.get(name) ?? '';
}

/**
 * Step over a tag whose content is not read as wikitext: what to put in its place and where it ends. `undefined` when
 * it is an ordinary tag or is never closed.
 */
export function skipTag(source: string, name: string, from: number): { text: string; end: number } | undefined {
  if (!DROPPED.has(name) && !RAW.has(name)) return undefined;
  const limit = name === 'sup' || name === 'sub' ? 40 : 200_000;
  const close = findClose(source, name, from, limit);
  if (close === undefined) return undefined;
  const content = source.slice(from, close.start);
  switch (name) {
    case 'nowiki':
      return { text: protect(decodeEntities(content)), end: close.end };
    case 'math':
    case 'chem':
    case 'ce':
      return { text: renderMath(content), end: close.end };
    case 'sup':
    case 'sub':
      // Within a word it is a letter of the word, as in a reconstructed `*Apal<sup>y</sup>un`.
      return /^[^[\]{}<>|&'\n]*$/.test(content)
        ? {
            text:
              /^\p{L}$/u.test(content) && /\p{L}/u.test(source[close.end] ?? '')
                ? content
                : raise(content.trim(), name),
            end: close.end,
          }
        : undefined;
    default:
      return { text: '', end: close.end };
  }
}

const CLOSERS = new Map(
  [...DROPPED, ...RAW].map((name) => [
    name,
    new RegExp(`<(?:(/)${name}\\s{0,40}|${name}(?:[\\s/][^<>]{0,2000})?)>`, 'gi'),
  ]),
);

/**
 * The matching closing tag, which has no attributes. When the same tag opens again first, this one was never closed (a
 * forgotten `</ref>`) and must not swallow the text up to the next; this also keeps the search linear.
 */
function findClose(
  source: string,
  name: string,
  from: number,
  limit: number,
): { start: number; end: number } | undefined {
  const pattern = CLOSERS.get(name) as RegExp;
  const within = source.slice(from, from + limit);
  pattern.lastIndex = 0;
  for (let match = pattern.exec(within); match !== null; match = pattern.exec(within)) {
    if (match[1] === '/') return { start: from + match.index, end: from + match.index + match[0].length };
    if (!match[0].endsWith('/>')) return undefined;
  }
  return undefined;
}

const SUPERSCRIPTS = '⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ';
const SUBSCRIPTS = '₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₙ';

/** `10<sup>3</sup>` as 10³, `H<sub>2</sub>O` as H₂O, `1<sup>st</sup>` as 1st, `e<sup>x</sup>` as e^x. */
export function raise(content: string, kind: 'sup' | 'sub'): string {
  if (/^[0-9+\-−–=()n]+$/.test(content) && content.length <= 12) {
    const target = kind === 'sup' ? SUPERSCRIPTS : SUBSCRIPTS;
    return [...content]
      .map((char) => target['0123456789+-=()n'.indexOf(char === '−' || char === '–' ? '-' : char)] ?? char)
      .join('');
  }
  return kind === 'sup' && /^[A-Za-z]$/.test(content) && !/^[aoe]$/.test(content) ? `^${content}` : content;
}
