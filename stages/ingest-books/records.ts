import type { BookFile } from './book-file.ts';

/** The names of a record's fields. */
export interface Fields {
  readonly text: string;
  readonly title: string;
  readonly id: string;
}

/** The book in a record of a JSON Lines or Parquet file, or the reason why there is none. */
export function recordBook(
  record: Readonly<Record<string, unknown>>,
  file: string,
  number: number,
  bytes: number | undefined,
  fields: Fields,
): BookFile | string {
  const text = record[fields.text];
  if (typeof text !== 'string') return text === undefined || text === null ? 'no-text-field' : 'text-no-string';
  const lang =
    /^[a-z]{2,3}(?=$|[-_])/i.exec(stringOf(record.lang) || stringOf(record.language))?.[0].toLowerCase() ?? '';
  const base = file.replace(/\.(?:jsonl|ndjson|parquet)$/i, '');
  return {
    path: file,
    name: `${base}/${stringOf(record[fields.id]) || number}`,
    format: 'record',
    content: text,
    bytes: bytes ?? Buffer.byteLength(text),
    title: stringOf(record[fields.title]),
    author: stringOf(record.author),
    lang,
  };
}

function stringOf(value: unknown): string {
  return typeof value === 'string'
    ? value
    : typeof value === 'number' || typeof value === 'bigint'
      ? String(value)
      : '';
}
