import { tableFromIPC } from 'apache-arrow';
import { CsvError, parse, type Info, type Options } from 'csv-parse/sync';
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
 * Labelled texts of a `.tsv`, `.csv`, `.jsonl` or `.arrow` file, detected by its name. TSV and CSV have a header line;
 * CSV is quoted as in RFC 4180. Fails with `bad-labelled-text`, naming file and line.
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
      `${name}: cannot detect its format from its name.`,
      'Name it .tsv, .csv, .jsonl or .arrow.',
    );
  const [head, ...rest] = plain.endsWith('.csv')
    ? tableRecords(name, text, { delimiter: ',', quote: '"', relax_quotes: true })
    : tableRecords(name, text, { delimiter: '\t', quote: null });
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
      /* reported below */
    }
    return fail('bad-labelled-text', `${name}:${line} is not a JSON object.`, 'Write one JSON object per line.');
  });
}

/** Lines that are not blank, with their numbers. */
function lines(text: string): [number, string][] {
  return text
    .split(/\r?\n/)
    .map((line, index): [number, string] => [index + 1, line])
    .filter(([, line]) => line.trim() !== '');
}

/** Records of a CSV or TSV file that are not blank, with the number of the line each starts on. */
function tableRecords(
  name: string,
  text: string,
  dialect: Pick<Options, 'delimiter' | 'quote' | 'relax_quotes'>,
): [number, string[]][] {
  const source = text.replaceAll('\r\n', '\n');
  try {
    const records = parse(source, {
      ...dialect,
      info: true,
      record_delimiter: '\n',
      relax_column_count: true,
      skip_records_with_empty_values: true,
    }) as unknown as readonly { readonly record: string[]; readonly info: Info }[];
    // `lines` counts to the end of a record; the line ends inside it are those of its quoted cells.
    return records.map(({ record, info }) => [info.lines - record.join('').split('\n').length + 1, record]);
  } catch (cause) {
    if (!(cause instanceof CsvError) || cause.code !== 'CSV_QUOTE_NOT_CLOSED') throw cause;
    const read = Buffer.from(source).subarray(0, Number(cause.bytes)).toString();
    const blank = /^\s*/.exec(source.slice(read.length))?.[0] ?? '';
    return fail(
      'bad-labelled-text',
      `${name}:${`${read}${blank}`.split('\n').length} has a quote that is never closed.`,
      'Double a quote that belongs to the text, and quote the cell that holds it.',
      cause,
    );
  }
}
