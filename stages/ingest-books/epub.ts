import { fail } from '../../src/core/diagnostic.ts';
import { readZip } from '../../src/formats/zip.ts';
import { decodeText } from '../../src/text/encoding/decode.ts';
import { chapterText, packagePath, readPackage } from '../../src/formats/epub.ts';
import type { BookFile } from './book-file.ts';

/**
 * The book in an EPUB, chapter by chapter in reading order. Fails when files that an EPUB must have are missing, when
 * it is encrypted (DRM), or when its chapters are larger than `maxBytes` in total.
 */
export async function readEpub(archive: string | Uint8Array, path: string, maxBytes: number): Promise<BookFile> {
  const files = new Map<string, Uint8Array>();
  let bytes = 0;
  for await (const entry of readZip(archive, path, maxBytes)) {
    if (
      entry.path === 'META-INF/encryption.xml' &&
      /<(?:\w+:)?EncryptedKey\b/.test(decodeText(await entry.read()).text)
    )
      fail('encrypted-book', `${path} is encrypted (DRM)`, 'Use a copy without DRM.');
    if (!/\.(?:xhtml|html?|xml|opf|dtbook)$/i.test(entry.path)) continue;
    bytes += entry.bytes;
    if (bytes > maxBytes)
      fail(
        'file-too-large',
        `${path}: its text has more than ${maxBytes} bytes`,
        'Check where it came from: no book is that long.',
      );
    files.set(entry.path, await entry.read());
  }
  const container = files.get('META-INF/container.xml');
  const root = container === undefined ? undefined : packagePath(decodeText(container).text);
  const opf = root === undefined ? undefined : files.get(root);
  if (root === undefined || opf === undefined)
    fail(
      'damaged-book',
      `${path} is not an EPUB: ${root === undefined ? 'container.xml names no package' : `${root} is missing`}`,
      'Download it again, or remove it.',
    );
  const { chapters, ...metadata } = readPackage(decodeText(opf).text, root);
  const text = chapters
    .map((chapter) => chapterText(files.get(chapter) ?? new Uint8Array(0)))
    .filter((chapter) => chapter !== '')
    .join('\n\n');
  return { path, name: path.replace(/\.epub$/i, ''), format: 'epub', content: text, bytes, ...metadata };
}
