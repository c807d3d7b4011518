import { stat } from 'node:fs/promises';
import { fail, Failure } from '../../src/core/diagnostic.ts';
import type { Source, StageContext } from '../../src/core/stage.ts';
import { isUrl } from '../../src/core/url.ts';
import type { CorpusReport } from '../../src/corpus/corpus-report.ts';
import { readJsonLines } from '../../src/formats/json-lines.ts';
import { readParquet } from '../../src/formats/parquet.ts';
import { peekBytes } from '../../src/formats/peek.ts';
import { openStageSource, type OpenSource } from '../../src/sources/source.ts';
import { readTar } from '../../src/formats/tar.ts';
import { readZip } from '../../src/formats/zip.ts';
import type { BookFile } from './book-file.ts';
import { readEpub } from './epub.ts';
import { recordBook, type Fields } from './records.ts';

export interface BookOptions {
  readonly checksum: string;
  readonly fields: Fields;
}

type Reporter = Pick<StageContext, 'log' | 'progress' | 'signal' | 'checkpoint' | 'downloads'>;

/** The books of a source: a text file or EPUB, the rows of a JSON Lines or Parquet file, the entries of an archive. */
export async function* readBookFiles(
  source: Source,
  context: Reporter,
  report: CorpusReport,
  options: BookOptions,
): AsyncGenerator<BookFile> {
  const leftOut = new LeftOut(context, report);
  const name = source.name.replace(/\.gz$/i, '');
  if (await isEmpty(source)) {
    if (leftOut.admits(name)) yield textBook(name, new Uint8Array(0));
    return;
  }
  const file = await openStageSource(source, context, options.checksum);
  try {
    yield* booksIn(file, source.name, name, leftOut, options.fields);
  } catch (error) {
    if (error instanceof Failure) await file.discard();
    throw error;
  }
}

async function* booksIn(
  file: OpenSource,
  sourceName: string,
  name: string,
  leftOut: LeftOut,
  fields: Fields,
): AsyncGenerator<BookFile> {
  const { head, all, close } = await peekBytes(file.read(), 512);
  const kind = kindOf(head, name);
  // These have their directory at the end, so they are read from the file itself.
  if (kind === 'epub' || kind === 'zip' || kind === 'parquet') await close();
  switch (kind) {
    case 'text':
      if (leftOut.admits(name)) yield textBook(name, await collect(all, sourceName));
      else await close();
      return;
    case 'epub':
      return yield await readEpub(file.path, name, maxBookBytes);
    case 'tar':
      for await (const { path, bytes } of readTar(all, sourceName, maxBookBytes))
        yield* entryBooks(
          `${name.replace(/\.(?:tar|tgz)$/i, '')}/${path.replace(/^(?:\.\/)+/, '')}`,
          () => Promise.resolve(bytes),
          leftOut,
        );
      return;
    case 'zip':
      for await (const entry of readZip(file.path, sourceName, maxBookBytes))
        yield* entryBooks(`${name.replace(/\.zip$/i, '')}/${entry.path}`, () => entry.read(), leftOut);
      return;
    case 'json-lines':
      return yield* jsonLinesBooks(readJsonLines(all, sourceName, maxBookBytes), sourceName, name, leftOut, fields);
    case 'parquet': {
      const { text, title, id } = fields;
      let row = 0;
      for await (const value of readParquet(file.path, sourceName, text, [title, id, 'author', 'lang', 'language'])) {
        const book = recordBook(value, name, ++row, undefined, fields);
        if (typeof book !== 'string') yield book;
        else leftOut.drop(`row ${row} of ${sourceName}`, book);
      }
    }
  }
}

async function* jsonLinesBooks(
  lines: ReturnType<typeof readJsonLines>,
  sourceName: string,
  name: string,
  leftOut: LeftOut,
  fields: Fields,
): AsyncGenerator<BookFile> {
  let hasText = false;
  let names: readonly string[] | undefined;
  for await (const { line, bytes, value } of lines) {
    hasText ||= value !== undefined && Object.hasOwn(value, fields.text);
    if (value !== undefined) names ??= Object.keys(value).slice(0, 20);
    const book = value === undefined ? 'not-json' : recordBook(value, name, line, bytes, fields);
    if (typeof book !== 'string') yield book;
    else leftOut.drop(`line ${line} of ${sourceName}`, book);
  }
  if (!hasText && names !== undefined)
    fail(
      'missing-column',
      `${sourceName}: no record has a field "${fields.text}"; the first one has ${names.join(', ') || 'none'}`,
      'Set `text_field` to the field that holds the text.',
    );
}

/** The type of a file, by its first bytes where possible. An EPUB is a ZIP archive whose first entry identifies it. */
function kindOf(head: Uint8Array, name: string): 'tar' | 'zip' | 'epub' | 'parquet' | 'json-lines' | 'text' {
  const start = Buffer.from(head).toString('latin1');
  if (start.startsWith('PK\x03\x04'))
    return /\.epub$/i.test(name) || start.startsWith('mimetypeapplication/epub+zip', 30) ? 'epub' : 'zip';
  if (start.startsWith('PAR1') || /\.parquet$/i.test(name)) return 'parquet';
  if (start.startsWith('ustar', 257) || /\.(?:tar|tgz)$/i.test(name)) return 'tar';
  return /\.(?:jsonl|ndjson)$/i.test(name) ? 'json-lines' : 'text';
}

/** An archive may hold text files and EPUBs. */
async function* entryBooks(path: string, read: () => Promise<Uint8Array>, leftOut: LeftOut): AsyncGenerator<BookFile> {
  if (/\.epub$/i.test(path)) yield await readEpub(await read(), path, maxBookBytes);
  else if (leftOut.admits(path)) yield textBook(path, await read());
}

const textBook = (path: string, bytes: Uint8Array): BookFile => ({
  path,
  name: path.replace(/\.(?:txt|text)$/i, ''),
  format: 'text',
  content: bytes,
  bytes: bytes.length,
});

/** The longest book that is sure to fit into a JavaScript string; real ones have a few megabytes. */
const maxBookBytes = 128 * 1024 * 1024;

/** Counts and logs files that are not books: a folder of books also has cover images, metadata and the like. */
class LeftOut {
  private readonly context: Reporter;
  private readonly report: CorpusReport;
  private logged = 0;

  constructor(context: Reporter, report: CorpusReport) {
    this.context = context;
    this.report = report;
  }

  /** Whether to read a file as text, by its name. */
  admits(path: string): boolean {
    const name = path.split('/').at(-1) ?? '';
    const extension = /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0].toLowerCase() ?? '';
    if (!name.startsWith('.') && ['', '.txt', '.text'].includes(extension)) return true;
    this.drop(path, 'not-text');
    return false;
  }

  drop(what: string, reason: string): void {
    this.report.read(0);
    this.report.drop(reason);
    if (++this.logged <= 100)
      this.context.log(
        `skipped ${what}: ${reason}${this.logged === 100 ? '; further ones are counted but not logged' : ''}`,
      );
  }
}

/** A folder of books may contain an empty file; that is not a reason to stop. */
async function isEmpty(source: Source): Promise<boolean> {
  return !isUrl(source.uri) && (await stat(source.uri).catch(() => undefined))?.size === 0;
}

async function collect(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of chunks) {
    bytes += part.length;
    if (bytes > maxBookBytes)
      fail(
        'file-too-large',
        `${name} has more than ${maxBookBytes} bytes; each file is read as one book`,
        'Split it into one file per book.',
      );
    parts.push(part);
  }
  return Buffer.concat(parts);
}
