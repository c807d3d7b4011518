import type { Readable } from 'node:stream';
import { fromBuffer, open, type Entry, type Options, type ZipFile } from 'yauzl';
import { fail } from '../core/diagnostic.ts';

/** A regular file of a ZIP archive; `read` decompresses it. */
export interface ZipEntry {
  readonly path: string;
  /** Decompressed size according to the archive's directory; {@link read} enforces it. */
  readonly bytes: number;
  read(): Promise<Uint8Array>;
}

/**
 * The regular files of a ZIP archive, given as a local path or as bytes, in the order of its directory. An archive with
 * an absolute path, a `..`, a link or an encrypted entry is rejected as a whole, as is one with too many entries.
 * @param name the archive's name in messages
 */
export async function* readZip(archive: string | Uint8Array, name: string, maxBytes: number): AsyncGenerator<ZipEntry> {
  const zip = await openZip(archive).catch((error: unknown) => damaged(name, error));
  let failure: unknown;
  zip.on('error', (error) => (failure = error));
  try {
    if (zip.entryCount > maxEntries)
      fail(
        'unsafe-archive',
        `${name} has ${zip.entryCount} entries, more than ${maxEntries}`,
        'Unpack it and use the folder.',
      );
    for (let entry = await nextEntry(zip); entry !== undefined; entry = await nextEntry(zip)) {
      if (entry.fileName.endsWith('/')) continue;
      check(entry, name, maxBytes);
      yield toEntry(zip, entry, name);
    }
    if (failure !== undefined) damaged(name, failure);
  } catch (error) {
    damaged(name, error);
  } finally {
    zip.close();
  }
}

/** Archives of books have thousands. The directory alone of an archive with millions would fill the memory. */
const maxEntries = 200_000;
/** Decompressed / compressed size of an entry of 1 MiB or more. Text reaches 10. */
const maxRatio = 1000;

function check(
  { fileName, uncompressedSize, compressedSize, externalFileAttributes, generalPurposeBitFlag }: Entry,
  name: string,
  maxBytes: number,
): void {
  const refuse = (what: string): never =>
    fail(
      'unsafe-archive',
      `${name}: ${fileName} ${what}`,
      'Check where the archive came from; unpack it by hand if you trust it.',
    );
  if (externalFileAttributes >>> 28 === 0xa) refuse('is a symlink');
  if ((generalPurposeBitFlag & 1) !== 0) refuse('is encrypted');
  if (uncompressedSize > maxBytes)
    fail(
      'file-too-large',
      `${name}: ${fileName} has ${uncompressedSize} bytes; the limit is ${maxBytes}`,
      'Split it into smaller files.',
    );
  if (uncompressedSize > 1 << 20 && uncompressedSize > compressedSize * maxRatio)
    refuse(`expands to more than ${maxRatio} times its size`);
}

const options: Options = { lazyEntries: true, autoClose: false };

function openZip(archive: string | Uint8Array): Promise<ZipFile> {
  return new Promise((resolve, reject) => {
    const done = (error: Error | null, zip: ZipFile): void => (error ? reject(error) : resolve(zip));
    if (typeof archive === 'string') open(archive, options, done);
    else fromBuffer(Buffer.from(archive.buffer, archive.byteOffset, archive.length), options, done);
  });
}

function nextEntry(zip: ZipFile): Promise<Entry | undefined> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void): void => {
      zip.off('entry', onEntry).off('end', onEnd).off('error', onError);
      then();
    };
    const onEntry = (entry: Entry): void => settle(() => resolve(entry));
    const onEnd = (): void => settle(() => resolve(undefined));
    const onError = (error: Error): void => settle(() => reject(error));
    zip.on('entry', onEntry).on('end', onEnd).on('error', onError);
    zip.readEntry();
  });
}

function toEntry(zip: ZipFile, entry: Entry, name: string): ZipEntry {
  return {
    path: entry.fileName,
    bytes: entry.uncompressedSize,
    async read() {
      try {
        const stream = await new Promise<Readable>((resolve, reject) =>
          zip.openReadStream(entry, (error, opened) => (error ? reject(error) : resolve(opened))),
        );
        const parts: Uint8Array[] = [];
        for await (const part of stream) parts.push(part as Uint8Array);
        return Buffer.concat(parts);
      } catch (error) {
        return damaged(`${name}: ${entry.fileName}`, error);
      }
    },
  };
}

function damaged(name: string, error: unknown): never {
  if (!(error instanceof Error) || 'diagnostic' in error) throw error;
  if (/invalid relative path|absolute path|invalid characters in fileName/.test(error.message))
    fail(
      'unsafe-archive',
      `${name}: ${error.message}`,
      'A path points outside the archive; check where it came from.',
      error,
    );
  fail('damaged-archive', `${name}: ${error.message}`, 'Download the file again, or check it with `unzip -t`.', error);
}
