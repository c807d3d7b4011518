import { stat } from 'node:fs/promises';
import { fail, Failure } from '../../src/core/diagnostic.ts';
import type { Source, StageContext } from '../../src/core/stage.ts';
import { peekBytes } from '../../src/data/peek.ts';
import { isUrl, openStageSource, type OpenSource } from '../../src/data/source.ts';
import { readTar } from '../../src/data/tar.ts';

/** A text file that is a book. */
export interface BookFile {
  /** File name; for an entry of an archive, `archive/path`. */
  readonly path: string;
  readonly bytes: Uint8Array;
}

type Reporter = Pick<StageContext, 'count' | 'log' | 'progress' | 'signal' | 'checkpoint'>;

/** The text files of a source: itself, or the entries of a tar archive, compressed or not. */
export async function* readBookFiles(source: Source, context: Reporter, checksum: string): AsyncGenerator<BookFile> {
  const name = source.name.replace(/\.gz$/i, '');
  if (await isEmpty(source)) {
    if (isBook(name, context)) yield { path: name, bytes: new Uint8Array(0) };
    return;
  }
  const file = await openStageSource(source, context, checksum);
  context.count('bytes', file.bytes);
  try {
    yield* booksIn(file, source, name, context);
  } catch (error) {
    if (error instanceof Failure) await file.discard();
    throw error;
  }
}

async function* booksIn(file: OpenSource, source: Source, name: string, context: Reporter): AsyncGenerator<BookFile> {
  const { head, all } = await peekBytes(file.read(), 512);
  if (text(head, 0, 4) === 'PK\x03\x04')
    fail('unsupported-archive', `${source.name} is a ZIP archive`, 'Unpack it and give the folder, or pack it as .tar.gz.');
  if (text(head, 257, 262) === 'ustar' || /\.(?:tar|tgz)$/i.test(name)) {
    const archive = name.replace(/\.(?:tar|tgz)$/i, '');
    for await (const entry of readTar(all, source.name, maxBookBytes))
      if (isBook(entry.path, context)) yield { path: `${archive}/${entry.path.replace(/^(?:\.\/)+/, '')}`, bytes: entry.bytes };
  } else if (isBook(name, context)) yield { path: name, bytes: await collect(all, source.name) };
  else await all.return(undefined);
}

/** The longest book that is sure to fit a JavaScript string; real ones have a few megabytes. */
const maxBookBytes = 128 * 1024 * 1024;

/** Whether a file is to be read, by its name: a folder of books also holds cover images, metadata and such. */
function isBook(path: string, context: Reporter): boolean {
  const name = path.split('/').at(-1) ?? '';
  const extension = /\.[A-Za-z0-9]{1,8}$/.exec(name)?.[0].toLowerCase() ?? '';
  if (!name.startsWith('.') && ['', '.txt', '.text'].includes(extension)) return true;
  context.count('documents.in');
  context.count('dropped.not-text');
  context.log(`left out ${path}: books are read from .txt files`);
  return false;
}

/** A folder of books may hold an empty file; that is no reason to stop. */
async function isEmpty(source: Source): Promise<boolean> {
  return !isUrl(source.uri) && (await stat(source.uri).catch(() => undefined))?.size === 0;
}

async function collect(chunks: AsyncIterable<Uint8Array>, name: string): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of chunks) {
    bytes += part.length;
    if (bytes > maxBookBytes)
      fail('file-too-large', `${name} has more than ${maxBookBytes} bytes; a file is one book`, 'Split it into one file a book.');
    parts.push(part);
  }
  return Buffer.concat(parts);
}

const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
