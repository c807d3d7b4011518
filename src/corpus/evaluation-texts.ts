import { fail } from '../core/diagnostic.ts';

/**
 * The texts of an evaluation set. The file name decides how to find them: every string in `.json` and `.jsonl`, every
 * field of `.tsv` and `.csv`, and otherwise every line. Which column or property holds what does not matter to
 * decontamination, as labels and ids are too short to have an n-gram.
 */
export function* evaluationTexts(name: string, content: string): Generator<string> {
  const plain = name.replace(/\.(gz|bz2)$/, '');
  if (plain.endsWith('.json')) yield* stringsIn(parse(content, name));
  else if (/\.(?:jsonl|ndjson)$/.test(plain)) {
    let number = 0;
    for (const line of content.split('\n')) {
      number++;
      if (line.trim() !== '') yield* stringsIn(parse(line, `${name}:${number}`));
    }
  } else if (plain.endsWith('.tsv')) yield* content.split(/[\t\n]/);
  // CSV too: quotes and commas are punctuation, and an n-gram across fields does no harm
  else yield* content.split('\n');
}

function* stringsIn(value: unknown): Generator<string> {
  if (typeof value === 'string') yield value;
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) yield* stringsIn(part);
}

function parse(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    return fail(
      'bad-evaluation-set',
      `${where} is not JSON.`,
      'Give the file the extension of its format: .json, .jsonl, .tsv, .csv or .txt.',
      cause,
    );
  }
}
