import { tableFromIPC } from 'apache-arrow';
import { fail } from '../core/diagnostic.ts';

/** A text, or a pair of texts, with its class. */
export interface LabelledText {
  readonly text: string;
  readonly pair?: string;
  readonly label: string;
}

export interface Columns {
  readonly text: string;
  readonly pair?: string | undefined;
  readonly label: string;
}

type Record_ = Readonly<Record<string, unknown>>;

/**
 * Labelled texts of a `.tsv`, `.csv`, `.jsonl` or `.arrow` file, told by its name. TSV and CSV have a header line; CSV
 * quotes as RFC 4180 does. Fails with `bad-labelled-text`, naming file and line.
 */
export function parseLabelledTexts(name: string, bytes: Uint8Array, columns: Columns): LabelledText[] {
  const plain = name.replace(/\.(gz|bz2)$/, '');
  const rows = plain.endsWith('.arrow')
    ? arrowRows(name, bytes)
    : textRows(name, plain, new TextDecoder('utf-8').decode(bytes));
  const texts = rows.map(([line, row]) => {
    const value = (column: string): string => {
      const found = row[column];
      if (found === undefined || found === null)
        fail(
          'bad-labelled-text',
          `${name}:${line} has no "${column}".`,
          `Its columns are ${
            Object.keys(row)
              .map((key) => `"${key}"`)
              .join(', ') || 'none'
          }; set text_column and label_column.`,
        );
      return String(found);
    };
    return {
      text: value(columns.text),
      label: value(columns.label),
      ...(columns.pair === undefined ? {} : { pair: value(columns.pair) }),
    };
  });
  if (texts.length === 0) fail('bad-labelled-text', `${name} has no rows.`, 'A header line alone is not enough.');
  return texts;
}

function arrowRows(name: string, bytes: Uint8Array): [number, Record_][] {
  try {
    return tableFromIPC(bytes)
      .toArray()
      .map((row, index) => [index + 1, (row as { toJSON(): Record_ }).toJSON()]);
  } catch (cause) {
    return fail(
      'bad-labelled-text',
      `${name} is not an Arrow IPC file.`,
      'Write it with pyarrow.ipc or pyarrow.feather.',
      cause,
    );
  }
}

function textRows(name: string, plain: string, text: string): [number, Record_][] {
  if (plain.endsWith('.jsonl') || plain.endsWith('.ndjson')) return jsonRows(name, text);
  if (!plain.endsWith('.tsv') && !plain.endsWith('.csv'))
    fail(
      'bad-labelled-text',
      `${name}: cannot tell its format from its name.`,
      'Name it .tsv, .csv, .jsonl or .arrow.',
    );
  const [head, ...rest] = plain.endsWith('.csv')
    ? csvRecords(text)
    : lines(text).map(([line, value]): [number, string[]] => [line, value.split('\t')]);
  const header = head?.[1] ?? fail('bad-labelled-text', `${name} is empty.`, 'Its first line names the columns.');
  return rest.map(([line, cells]) => {
    if (cells.length !== header.length)
      fail(
        'bad-labelled-text',
        `${name}:${line} has ${cells.length} columns, its header ${header.length}.`,
        'Look for a stray separator in the text.',
      );
    return [line, Object.fromEntries(header.map((column, i) => [column, cells[i]]))];
  });
}

function jsonRows(name: string, text: string): [number, Record_][] {
  return lines(text).map(([line, value]) => {
    try {
      const row: unknown = JSON.parse(value);
      if (typeof row === 'object' && row !== null) return [line, row as Record_];
    } catch {
      /* told below */
    }
    return fail('bad-labelled-text', `${name}:${line} is not a JSON object.`, 'JSON lines have one object a line.');
  });
}

/** Lines that are not blank, with their numbers. */
function lines(text: string): [number, string][] {
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .map((line, index): [number, string] => [index + 1, line])
    .filter(([, line]) => line.trim() !== '');
}

function csvRecords(text: string): [number, string[]][] {
  const records: [number, string[]][] = [];
  let cells: string[] = [];
  let cell = '';
  let quoted = false;
  let line = 1;
  let start = 1;
  const endRecord = (): void => {
    cells.push(cell);
    if (cells.length > 1 || cell.trim() !== '') records.push([start, cells]);
    cells = [];
    cell = '';
    start = line;
  };
  const source = text.replace(/^\uFEFF/, '').replace(/\r\n/g, '\n');
  for (let i = 0; i < source.length; i++) {
    const char = source[i] as string;
    if (char === '\n') line++;
    if (quoted) {
      if (char !== '"') cell += char;
      else if (source[i + 1] === '"') cell += source[i++] as string;
      else quoted = false;
    } else if (char === '"' && cell === '') quoted = true;
    else if (char === ',') {
      cells.push(cell);
      cell = '';
    } else if (char === '\n') endRecord();
    else cell += char;
  }
  if (cell !== '' || cells.length > 0) endRecord();
  return records;
}
