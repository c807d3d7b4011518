import { readBlocks, type Block } from './blocks.ts';
import { visibleLength } from './white-space.ts';

/** The content of a web page that is worth training on. */
export interface MainText {
  /**
   * Paragraphs separated by a blank line; list items and table rows are separated by a line end. Empty when the page
   * has no prose.
   */
  readonly text: string;
  readonly title: string;
  /** The language that the page declares, such as `en-GB`; often wrong. */
  readonly lang: string;
}

/**
 * Extract the main text of an HTML page. Elements that are never prose (navigation, header, footer, aside, scripts) and
 * those whose attributes say so (cookie banners, share bars, hidden ones) are removed. The remaining blocks of text are
 * judged by length, punctuation and share of links, short ones by their neighbours, as in jusText (Pomikálek 2011).
 * Linear in the page's length.
 * @example extractMainText('<nav>Home</nav><p>A sentence that is long enough to count.</p>').text
 */
export function extractMainText(html: string): MainText {
  const strict = readBlocks(html, true);
  const text = prose(strict.blocks);
  if (text.length >= enoughChars) return { text, title: strict.title, lang: strict.lang };
  // Some sites wrap everything in an element with a name like a sidebar's, or never close one; then only tags are
  // trusted.
  const lenient = readBlocks(html, false);
  const lenientText = prose(lenient.blocks);
  const isBetter = lenientText.length > 4 * text.length && lenientText.length >= enoughChars;
  return { text: isBetter ? lenientText : text, title: strict.title || lenient.title, lang: strict.lang };
}

/** Below this, the strict reading may have removed the content itself. */
const enoughChars = 400;

type Verdict = 'good' | 'bad' | 'short';

function prose(all: readonly Block[]): string {
  const blocks = mainBlocks(all);
  const verdicts = blocks.map(judge);
  const before = nearestVerdict(verdicts, 1);
  const after = nearestVerdict(verdicts, -1);
  let text = '';
  let last: Block | undefined;
  blocks.forEach((block, i) => {
    if (!isKept(block, verdicts[i] ?? 'bad', before[i] ?? 'bad', after[i] ?? 'bad')) return;
    if (last !== undefined) text += last.kind === 'item' && block.kind === 'item' ? '\n' : '\n\n';
    text += block.text;
    last = block;
  });
  return text;
}

/** The blocks of `<main>` and `<article>` when they hold most of the prose, else all. */
function mainBlocks(blocks: readonly Block[]): readonly Block[] {
  const main = blocks.filter((block) => block.inMain);
  return goodChars(main) * 2 >= goodChars(blocks) && goodChars(main) > 0 ? main : blocks;
}

function goodChars(blocks: readonly Block[]): number {
  return blocks.reduce((sum, block) => sum + (judge(block) === 'good' ? block.text.length : 0), 0);
}

const cjk = /[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]/g;
const endsSentence = /[.!?\u2026\u3002\uff01\uff1f\u0964\u061f]["'\u201d\u2019\u00bb)\]]*$/;
const introduces = /[:\uff1a]$/;
const legal = /cookie|privacy policy|terms of (?:use|service)|all rights reserved|^(?:\u00a9|\(c\)|copyright\b)/i;

function judge(block: Block): Verdict {
  const chars = visibleLength(block.text);
  const linkShare = block.linkChars / chars;
  const isSentence = endsSentence.test(block.text);
  // The first sentence of an encyclopedia's article is mostly links.
  const maxLinkShare = block.kind !== 'text' ? 0.5 : isSentence && chars - block.linkChars >= 15 ? 0.8 : 0.6;
  if (linkShare > maxLinkShare) return 'bad';
  // A Chinese character says about as much as three letters.
  const weight = chars + 2 * (block.text.match(cjk)?.length ?? 0);
  if (weight < 300 && legal.test(block.text)) return 'bad';
  if (block.kind === 'heading') return 'short';
  if (isSentence) return weight >= 25 ? 'good' : 'short';
  return weight >= 100 && linkShare < 0.4 ? 'good' : 'short';
}

/** For each block, the verdict on the nearest one before (`step` 1) or after it (-1) that is not short. */
function nearestVerdict(verdicts: readonly Verdict[], step: 1 | -1): Verdict[] {
  const nearest: Verdict[] = [];
  let last: Verdict = 'bad';
  let distance = 0;
  for (let i = step === 1 ? 0 : verdicts.length - 1; i >= 0 && i < verdicts.length; i += step) {
    nearest[i] = distance > reach ? 'bad' : last;
    const verdict = verdicts[i] ?? 'bad';
    distance = verdict === 'short' ? distance + 1 : 0;
    if (verdict !== 'short') last = verdict;
  }
  return nearest;
}

/** Maximum number of consecutive short blocks between a block and the neighbour that decides for it. */
const reach = 12;

function isKept(block: Block, verdict: Verdict, before: Verdict, after: Verdict): boolean {
  if (verdict !== 'short') return verdict === 'good';
  if (block.kind === 'heading') return after === 'good';
  if (block.kind === 'item') return before === 'good' || after === 'good';
  // "They released:" belongs to what follows.
  if (introduces.test(block.text)) return after === 'good';
  return before === 'good' && after === 'good';
}
