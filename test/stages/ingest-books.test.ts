import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack, type Header } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import stage from '../../stages/ingest-books/index.ts';
import { root } from '../rig/project.ts';
import { runStage } from '../rig/run-stage.ts';
import { sharedData, sharedDataMissing } from '../rig/shared-data.ts';
import { because } from '../rig/skipped.ts';

const folder = mkdtempSync(join(tmpdir(), 'books-'));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function tar(entries: readonly (readonly [Partial<Header> & { name: string }, string])[]): Promise<Buffer> {
  const archive = pack();
  for (const [headers, content] of entries) archive.entry(headers, content);
  archive.finalize();
  const parts: Uint8Array[] = [];
  for await (const part of archive) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

async function ingest(paths: readonly string[], config: Record<string, unknown> = {}) {
  const { outputs, metrics } = await runStage(stage, {
    type: 'ingest-books',
    config: { path: 'x', ...config },
    sources: { path: paths },
  });
  return {
    rows: await outputs.documents!.rows(),
    metrics,
    digests: outputs.documents!.manifest.files.map((entry) => entry.digest),
  };
}

describe('ingest-books', () => {
  test('reads text, gzip, tar and tar.gz, one document a book', async () => {
    const archive = await tar([
      [{ name: './a/one.txt' }, 'First.'],
      [{ name: 'a/two.txt' }, 'Second.'],
      [{ name: 'a/one.txt' }, 'Again.'],
      [{ name: 'cover.jpg' }, 'x'],
    ]);
    const paths = [
      file('plain.txt', 'A book.\n\nOf two paragraphs.'),
      file('zipped.txt.gz', gzipSync('Zipped.')),
      file('many.tar', archive),
      file('more.tar.gz', gzipSync(archive)),
    ];
    const { rows, metrics } = await ingest(paths, { snapshot: '2026-11-01', lang: 'en' });
    expect(rows.map((row) => [row.id, row.text])).toEqual([
      ['books:plain', 'A book.\n\nOf two paragraphs.'],
      ['books:zipped', 'Zipped.'],
      ['books:many/a/one', 'First.'],
      ['books:many/a/two', 'Second.'],
      ['books:many/a/one~2', 'Again.'],
      ['books:more/a/one', 'First.'],
      ['books:more/a/two', 'Second.'],
      ['books:more/a/one~2', 'Again.'],
    ]);
    expect(rows[0]).toMatchObject({ source: 'books', snapshot: '2026-11-01', lang: 'en', title: '', url: '' });
    expect(metrics).toMatchObject({ 'documents.in': 10, 'documents.out': 8, 'dropped.not-text': 2 });
  });

  test('leaves out what is no book, and counts it', async () => {
    const { rows, metrics } = await ingest([
      file('empty.txt', ''),
      file('blank.txt', ' \n\n'),
      file('binary.txt', 'a\0b'),
      file('notes.epub', 'x'),
      file('.hidden', 'x'),
      file('latin.txt', Buffer.from('caf\xe9', 'latin1')),
    ]);
    expect(rows.map((row) => row.text)).toEqual(['café']);
    expect(metrics).toMatchObject({
      'documents.in': 6,
      'documents.out': 1,
      'dropped.empty': 2,
      'dropped.binary': 1,
      'dropped.not-text': 2,
    });
  });

  test.each([
    ['a path with ..', { name: 'a/../../etc/passwd' }, /points outside/],
    ['a path with .. behind backslashes', { name: 'a\\..\\b.txt' }, /points outside/],
    ['an absolute path', { name: '/etc/passwd' }, /points outside/],
    ['a drive letter', { name: 'C:\\books\\x.txt' }, /points outside/],
    ['a symbolic link', { name: 'x.txt', type: 'symlink', linkname: '/etc/passwd' } as const, /is a symlink/],
    ['a hard link', { name: 'x.txt', type: 'link', linkname: 'y.txt' } as const, /is a link/],
    ['a device', { name: 'x.txt', type: 'character-device' } as const, /is a character-device/],
  ])('refuses an archive with %s', async (name, headers, message) => {
    const content = await tar([
      [{ name: 'good.txt' }, 'Good.'],
      [headers, ''],
    ]);
    await expect(ingest([file('unsafe.tar.gz', gzipSync(content))])).rejects.toMatchObject({
      diagnostic: { code: 'unsafe-archive', message: expect.stringMatching(message) },
    });
  });

  test('says so when an archive is cut off, damaged or of another kind', async () => {
    const archive = await tar([[{ name: 'a.txt' }, 'word '.repeat(4000)]]);
    const zipped = gzipSync(archive);
    await expect(ingest([file('cut.tar', archive.subarray(0, 9000))])).rejects.toMatchObject({
      diagnostic: { code: 'damaged-archive' },
    });
    await expect(ingest([file('cut.tar.gz', zipped.subarray(0, zipped.length - 12))])).rejects.toMatchObject({
      diagnostic: { code: 'truncated-gzip' },
    });
    await expect(ingest([file('noise.tar', Buffer.alloc(2048, 'no tar at all '))])).rejects.toMatchObject({
      diagnostic: { code: 'damaged-archive' },
    });
    await expect(ingest([file('books.zip', 'PK\x03\x04rest of it')])).rejects.toMatchObject({
      diagnostic: { code: 'damaged-archive' },
    });
  });

  for (const { name, missing, path, title, ebook, start, end, part } of [
    {
      name: 'reads a book of ours without what is before and after it',
      missing: undefined,
      path: join(root, 'test/fixtures/books/the-clockmakers-dictionary.txt'),
      title: "The Clockmaker's Dictionary",
      ebook: 4321,
      start:
        "THE CLOCKMAKER'S DICTIONARY\n\nby Odo Fennel\n\nAUTHOR'S PREFACE\n\nThe Clockmaker's Dictionary was begun",
      end: 'DUST, n. The enemy.',
      part: 'what the weather would have been if it had only listened. The almanac of our valley has foretold snow',
    },
    {
      name: 'reads a real book without what is before and after it',
      missing: sharedDataMissing,
      path: join(sharedData, 'books/the-devils-dictionary.txt'),
      title: "The Devil's Dictionary",
      ebook: 972,
      start: "THE DEVIL'S DICTIONARY\n\nby Ambrose Bierce\n\nAUTHOR'S PREFACE",
      end: '',
      part: 'This more reverent title had previously been forced upon him by the religious scruples of the last',
    },
  ])
    test.skipIf(missing !== undefined)(`${name}${because(missing)}`, async () => {
      const { rows, digests } = await ingest([path]);
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({ title, lang: 'en', url: `https://www.gutenberg.org/ebooks/${ebook}` });
      const text = String(rows[0]!.text);
      expect(text).not.toMatch(/Gutenberg|Produced by/);
      expect([text.startsWith(start), text.endsWith(end)]).toEqual([true, true]);
      expect(text).toContain(part);
      expect((await ingest([path])).digests).toEqual(digests);
    });
});
