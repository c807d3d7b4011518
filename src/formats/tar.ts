import { extract } from 'tar-stream';
import { fail } from '../core/diagnostic.ts';

/** A regular file of a tar archive. */
export interface TarEntry {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/**
 * The regular files of a tar archive, in order, one in memory at a time. An archive with an absolute path, a `..` or a
 * link is rejected as a whole, as is one with an entry over `maxBytes` or one that ends early.
 * @param name the archive's name in messages
 */
export async function* readTar(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  maxBytes: number,
): AsyncGenerator<TarEntry> {
  const archive = extract();
  const feeding = feed(chunks, archive);
  try {
    for await (const entry of archive) {
      const { name: path, type, size = 0 } = entry.header;
      checkEntry(path, type ?? 'file', name);
      if (type !== 'file' && type !== 'contiguous-file') {
        entry.resume();
        continue;
      }
      if (size > maxBytes)
        fail(
          'file-too-large',
          `${name}: ${path} has ${size} bytes; the limit is ${maxBytes}`,
          'Split it into smaller files.',
        );
      const parts: Uint8Array[] = [];
      for await (const part of entry) parts.push(part as Uint8Array);
      const bytes = Buffer.concat(parts);
      if (bytes.length !== size) fail('damaged-archive', `${name}: the archive ends within ${path}`, damagedHelp);
      yield { path, bytes };
    }
    const failure = await feeding;
    if (failure !== undefined) throw failure;
  } catch (error) {
    const failure = await feeding;
    if (failure !== undefined) throw failure;
    if (error instanceof Error && /Unexpected end|Invalid/.test(error.message))
      fail('damaged-archive', `${name}: ${error.message}`, damagedHelp, error);
    throw error;
  } finally {
    archive.destroy();
    await feeding;
  }
}

const damagedHelp = 'The archive is damaged or incomplete; download it again.';

/** Write all chunks; resolves with what reading them threw, if anything. */
async function feed(chunks: AsyncIterable<Uint8Array>, archive: ReturnType<typeof extract>): Promise<unknown> {
  try {
    for await (const chunk of chunks) {
      if (archive.destroyed) return undefined;
      if (!archive.write(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))) await drained(archive);
    }
    archive.end(undefined);
    return undefined;
  } catch (error) {
    archive.destroy();
    return error;
  }
}

function drained(archive: ReturnType<typeof extract>): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      archive.off('drain', done);
      archive.off('close', done);
      resolve();
    };
    if (archive.destroyed) return done();
    archive.on('drain', done);
    archive.on('close', done);
  });
}

function checkEntry(path: string, type: string, archive: string): void {
  const isOutside = /^(?:[/\\]|[A-Za-z]:)/.test(path) || path.split(/[/\\]/).includes('..') || path.includes('\0');
  if (isOutside)
    fail(
      'unsafe-archive',
      `${archive}: entry ${JSON.stringify(path)} points outside the archive`,
      'Repack the archive with relative paths.',
    );
  if (type !== 'file' && type !== 'contiguous-file' && type !== 'directory')
    fail(
      'unsafe-archive',
      `${archive}: entry ${JSON.stringify(path)} is a ${type}`,
      'Only regular files are supported; repack it without links and devices (tar --dereference).',
    );
}
