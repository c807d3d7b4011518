import { createReadStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { fail, Failure } from '../core/diagnostic.ts';
import { digestStream } from '../core/digest.ts';
import type { Source, StageContext } from '../core/stage.ts';
import { isUrl } from '../core/url.ts';
import { decompress, type DecompressLimits } from '../formats/decompress.ts';
import { download, type DownloadOptions } from './download.ts';

export interface SourceOptions extends DecompressLimits, DownloadOptions {
  /** Folder that keeps finished downloads. */
  readonly cache: string;
  /** Hexadecimal SHA-256 of the file as published (compressed). */
  readonly checksum?: string;
}

/** A source whose bytes are available locally. */
export interface OpenSource {
  readonly name: string;
  /** Local path; that of the download if the source is a URL. */
  readonly path: string;
  /** Size of the file at `path`, compressed. */
  readonly bytes: number;
  /** Compressed bytes read so far, to report progress relative to `bytes`. */
  readonly bytesRead: number;
  /** Decompressed bytes in order. May be iterated once. */
  read(): AsyncGenerator<Uint8Array>;
  /**
   * Delete a download whose content turned out to be wrong, because otherwise the next run would read it again. Local
   * files stay.
   */
  discard(): Promise<void>;
}

/**
 * Open a local file or a URL for reading from start to end. URLs are downloaded first, with resume and retries;
 * compression is detected by magic bytes. Throws a Failure for all network and file errors.
 * @example
 * const file = await openSource(source, { cache: context.checkpoint, signal: context.signal });
 * for await (const chunk of file.read()) context.progress(file.bytesRead, file.bytes, 'bytes');
 */
export async function openSource(source: Source, options: SourceOptions): Promise<OpenSource> {
  const path = isUrl(source.uri)
    ? await download(source.uri, options.cache, { ...options, pinned: (options.checksum ?? '') !== '' })
    : source.uri;
  const { size } = await stat(path).catch((error: unknown) =>
    fail('missing-source', `cannot read ${source.uri}`, 'Check the path.', error),
  );
  if (size === 0) fail('empty-source', `${source.uri} is empty`, 'Download the file again.');
  if (options.checksum !== undefined && options.checksum !== '') await verify(path, source, options.checksum);
  let bytesRead = 0;
  async function* raw(): AsyncGenerator<Uint8Array> {
    for await (const chunk of createReadStream(path, {
      highWaterMark: 1 << 18,
      ...(options.signal ? { signal: options.signal } : {}),
    })) {
      bytesRead += (chunk as Uint8Array).length;
      yield chunk as Uint8Array;
    }
  }
  const discard = async (): Promise<void> => {
    if (isUrl(source.uri)) await rm(path, { force: true });
  };
  async function* read(): AsyncGenerator<Uint8Array> {
    try {
      yield* decompress(raw(), source.name, options);
    } catch (error) {
      if (error instanceof Failure) await discard();
      throw error;
    }
  }
  return {
    name: source.name,
    path,
    bytes: size,
    get bytesRead() {
      return bytesRead;
    },
    read,
    discard,
  };
}

/**
 * {@link openSource} for a stage: a download is shown as progress, logged, resumed by the next attempt and kept in the
 * store, so that changing the config does not download it again. A stage that finds the content wrong calls `discard`.
 */
export function openStageSource(
  source: Source,
  context: Pick<StageContext, 'checkpoint' | 'downloads' | 'signal' | 'log' | 'progress'>,
  checksum: string,
): Promise<OpenSource> {
  return openSource(source, {
    cache: context.downloads,
    partials: context.checkpoint,
    checksum,
    signal: context.signal,
    log: (message) => context.log(message),
    onProgress: (done, total) => context.progress(done, total, 'bytes', `downloading ${source.name}`),
  });
}

async function verify(path: string, source: Source, expected: string): Promise<void> {
  const actual: string = await digestStream(path);
  if (actual === expected.toLowerCase()) return;
  // Otherwise the next run would find the same bad download. Local files stay.
  if (isUrl(source.uri)) await rm(path, { force: true });
  fail(
    'checksum-mismatch',
    `${source.uri}: SHA-256 is ${actual}, not ${expected.toLowerCase()}`,
    'The file was replaced or was damaged in transit; correct `checksum` or download it again.',
  );
}
