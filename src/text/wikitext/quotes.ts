/**
 * Take bold and italic quotes out of a line. Of four quotes one is text, of more than five all but five; and when a
 * line has an odd number of both, one bold was an apostrophe before italics, as in `dell'''Opera''`.
 * Source: MediaWiki's Parser::doQuotes
 */
export function stripQuotes(line: string): string {
  if (!line.includes("''")) return line;
  const pieces = line.split(/('{2,})/);
  let bold = 0;
  let italic = 0;
  for (let i = 1; i < pieces.length; i += 2) {
    const count = (pieces[i] as string).length;
    if (count === 3 || count === 4) bold++;
    else if (count === 2) italic++;
    else {
      bold++;
      italic++;
    }
  }
  const apostrophe = bold % 2 === 1 && italic % 2 === 1 ? mistakenBold(pieces) : -1;
  return pieces
    .map((piece, i) =>
      i % 2 === 0 ? piece : i === apostrophe || piece.length === 4 ? "'" : "'".repeat(Math.max(0, piece.length - 5)),
    )
    .join('');
}

/**
 * The bold mark that is an apostrophe: the first after a one-letter word, else after a longer word, else after a space.
 */
function mistakenBold(pieces: readonly string[]): number {
  let afterWord = -1;
  let afterSpace = -1;
  for (let i = 1; i < pieces.length; i += 2) {
    if ((pieces[i] as string).length !== 3) continue;
    const text = pieces[i - 1] as string;
    if (text.endsWith(' ') || text === '') afterSpace = afterSpace < 0 ? i : afterSpace;
    else if (text.length === 1 || text.at(-2) === ' ') return i;
    else afterWord = afterWord < 0 ? i : afterWord;
  }
  return afterWord < 0 ? afterSpace : afterWord;
}
