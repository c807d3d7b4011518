const closers = new Set('"\'”’»)]」』）】》');
const openers = /^["'“‘«([¿¡]*[\p{Lu}\p{Lo}\p{N}]/u;
const stops = new Set(['.', '!', '?', '…']);
const wideStops = new Set(['。', '！', '？', '｡']);
/** Words whose period does not end a sentence. */
const abbreviations = new Set(
  (
    'mr mrs ms dr prof rev gen col capt lt sgt sen rep gov st mt jr sr vs etc al fig figs no nos vol pp ed eds cf ' +
    'ca approx dept est inc ltd co corp jan feb mar apr jun jul aug sep sept oct nov dec e.g i.e a.m p.m u.s u.k'
  ).split(' '),
);

/**
 * Cut text into sentences that, joined, are the text with line breaks normalised: a run of white space with a line
 * break in it becomes one line break, at the end of a sentence; a space between sentences begins the next one. English
 * and other spaced scripts end at `. ! ?` before a space and a capital; Chinese and Japanese at `。！？`.
 */
export function splitSentences(text: string): string[] {
  const sentences: string[] = [];
  for (const line of text.trim().split(/\r\n|[\n\r\u2028\u2029]/)) {
    const trimmed = line.trim();
    if (trimmed === '') continue;
    if (sentences.length > 0) sentences[sentences.length - 1] += '\n';
    splitLine(trimmed, sentences);
  }
  return sentences;
}

function splitLine(line: string, sentences: string[]): void {
  let start = 0;
  for (let i = 0; i < line.length;) {
    const stop = line[i]!;
    const isWide = wideStops.has(stop);
    if (!isWide && !stops.has(stop)) {
      i++;
      continue;
    }
    let end = i + 1;
    while (end < line.length && (stops.has(line[end]!) || wideStops.has(line[end]!))) end++;
    while (end < line.length && closers.has(line[end]!)) end++;
    if (
      end < line.length &&
      (isWide ||
        (isSpace(line[end]!) &&
          beginsSentence(line, end) &&
          !(stop === '.' && end === i + 1 && isAbbreviation(line, start, i))))
    ) {
      sentences.push(line.slice(start, end));
      start = end;
    }
    i = end;
  }
  sentences.push(line.slice(start));
}

function beginsSentence(line: string, space: number): boolean {
  let at = space;
  while (at < line.length && at < space + 8 && isSpace(line[at]!)) at++;
  return openers.test(line.slice(at, at + 8));
}

/** Whether the period at `dot` follows an abbreviation or a single capital, as in `J. Smith`. */
function isAbbreviation(line: string, start: number, dot: number): boolean {
  let from = dot;
  while (from > start && dot - from < 8 && /[\p{L}.]/u.test(line[from - 1]!)) from--;
  const word = line.slice(from, dot);
  return /^\p{Lu}$/u.test(word) || abbreviations.has(word.toLowerCase());
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\u00a0' || char === '\u3000' || char === '\t';
}
