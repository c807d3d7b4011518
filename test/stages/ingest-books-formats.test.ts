import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { describe, expect, test } from 'vitest';
import stage from '../../stages/ingest-books/index.ts';
import { missingModules, runPython } from '../rig/python.ts';
import { runStage } from '../rig/run-stage.ts';
import { zipOf } from '../rig/zip.ts';
import { because } from '../rig/skipped.ts';

const folder = mkdtempSync(join(tmpdir(), 'books-'));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

async function ingest(path: string, config: Record<string, unknown> = {}) {
  const { outputs, metrics } = await runStage(stage, {
    type: 'ingest-books',
    config: { path: 'x', ...config },
    sources: { path: [path] },
  });
  return { rows: await outputs.documents!.rows(), table: await outputs.metrics!.rows(), metrics };
}
const failing = (code: string) =>
  expect.objectContaining({ diagnostic: expect.objectContaining({ code }) as unknown }) as unknown;

const chapter = (body: string) =>
  '<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>Not this</title></head>' +
  `<body>${body}</body></html>`;
const opf = `<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:title>The Sea &amp; the Hill</dc:title><dc:creator>A. Writer</dc:creator><dc:language>en-GB</dc:language></metadata><manifest>
<item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/><item id="b" href="text/two%20b.xhtml" media-type="application/xhtml+xml"/>
<item id="a" href="text/one.xhtml" media-type="application/xhtml+xml"/><item id="i" href="cover.png" media-type="image/png"/></manifest>
<spine><itemref idref="n"/><itemref idref="a"/><itemref idref="b"/><itemref idref="i"/><itemref idref="missing"/></spine></package>`;
const epub = [
  { path: 'mimetype', content: 'application/epub+zip', stored: true },
  {
    path: 'META-INF/container.xml',
    content:
      '<container><rootfiles><rootfile full-path="OPS/package.opf" media-type="application/oebps-package+xml"/>' +
      '</rootfiles></container>',
  },
  { path: 'OPS/package.opf', content: opf },
  {
    path: 'OPS/text/two b.xhtml',
    content: chapter(
      '<h2>II</h2><p>The second\n chapter.</p><blockquote>Roses are red,<br/>violets are blue.</blockquote>',
    ),
  },
  {
    path: 'OPS/text/one.xhtml',
    content: chapter(
      '<h2>I</h2><p>It was a <i>dark</i> night.</p><p>Rīga slept&#8212;or not.</p><ul><li>One</li><li>Two</li></ul>',
    ),
  },
  { path: 'OPS/nav.xhtml', content: chapter('<p>Contents</p>') },
];
const epubText =
  'I\n\nIt was a dark night.\n\nRīga slept—or not.\n\nOne\nTwo\n\nII\n\nThe second chapter.\n\nRoses are red,' +
  '\nviolets are blue.';

describe('EPUB', () => {
  test('chapters in reading order, headings and paragraphs kept, metadata read', async () => {
    const { rows, metrics } = await ingest(file('sea.epub', zipOf(epub)), { snapshot: '2026-11-01' });
    expect(rows).toEqual([
      {
        id: 'books:sea',
        source: 'books',
        snapshot: '2026-11-01',
        url: '',
        title: 'The Sea & the Hill',
        text: epubText,
        lang: 'en',
        meta: '{"author":"A. Writer","file":"sea.epub"}',
      },
    ]);
    expect(metrics).toMatchObject({ 'documents.in': 1, 'documents.out': 1 });
  });

  test('in a ZIP archive beside text files', async () => {
    const { rows, metrics } = await ingest(
      file(
        'shelf.zip',
        zipOf([
          { path: 'a/sea.epub', content: zipOf(epub) },
          { path: 'b.txt', content: 'A text.' },
          { path: 'cover.jpg', content: 'x' },
        ]),
      ),
    );
    expect(rows.map(({ id, text }) => [id, text])).toEqual([
      ['books:shelf/a/sea', epubText],
      ['books:shelf/b', 'A text.'],
    ]);
    expect(metrics).toMatchObject({ 'documents.in': 3, 'documents.out': 2, 'dropped.not-text': 1 });
  });

  test.each([
    ['without a package', [epub[0]!, epub[1]!], 'damaged-book'],
    [
      'under DRM',
      [...epub, { path: 'META-INF/encryption.xml', content: '<encryption><EncryptedKey/></encryption>' }],
      'encrypted-book',
    ],
    ['with a path that leaves it', [...epub, { path: '../../etc/passwd', content: '' }], 'unsafe-archive'],
    ['with a link', [...epub, { path: 'a.txt', content: '/etc/passwd', mode: 0o120777 }], 'unsafe-archive'],
    ['with a bomb', [...epub, { path: 'OPS/bomb.xhtml', content: Buffer.alloc(8 << 20) }], 'unsafe-archive'],
  ])('one %s is refused', async (_, entries, code) => {
    await expect(ingest(file('bad.epub', zipOf(entries)))).rejects.toEqual(failing(code));
  });

  test('one that is cut off or damaged is refused', async () => {
    const whole = zipOf(epub);
    await expect(ingest(file('cut.epub', whole.subarray(0, whole.length - 30)))).rejects.toEqual(
      failing('damaged-archive'),
    );
    const flipped = Buffer.from(whole);
    const at = flipped.indexOf('OPS/text/one.xhtml') + 40;
    flipped.fill(0xff, at, at + 20);
    await expect(ingest(file('flipped.epub', flipped))).rejects.toEqual(failing('damaged-archive'));
  });
});

describe('JSON Lines', () => {
  const lines = [
    '{"id":7,"title":"First","text":"One.\\n\\nTwo.","author":"A","language":"EN"}',
    '',
    '{"text":"Untitled."}',
    'not json',
    '{"other":1}',
    '{"text":3}',
    '{"text":" "}',
  ].join('\n');

  test.each([
    ['books.jsonl', lines],
    ['books.jsonl.gz', gzipSync(lines)],
  ])('%s: a record is a book, the rest is counted', async (name, content) => {
    const { rows, metrics, table } = await ingest(file(name, content));
    expect(rows.map(({ id, title, text, lang, meta }) => [id, title, text, lang, meta])).toEqual([
      ['books:books/7', 'First', 'One.\n\nTwo.', 'en', '{"author":"A","file":"books.jsonl"}'],
      ['books:books/3', '', 'Untitled.', '', '{"file":"books.jsonl"}'],
    ]);
    expect(metrics).toMatchObject({
      'documents.in': 6,
      'documents.out': 2,
      'dropped.not-json': 1,
      'dropped.no-text-field': 1,
      'dropped.text-no-string': 1,
      'dropped.empty': 1,
    });
    expect(table).toContainEqual({ name: 'dropped', label: 'not-json', value: 1 });
  });

  test('other fields by config; a file that is no JSON Lines is refused', async () => {
    await expect(ingest(file('d.jsonl', '{"body":"Text.","uid":"k"}\n{"body":"More."}'))).rejects.toThrow(
      'd.jsonl: no record has a field "text"; the first one has body, uid',
    );
    expect(
      (
        await ingest(file('c.jsonl', '{"body":"Text.","name":"N","key":"k"}'), {
          text_field: 'body',
          title_field: 'name',
          id_field: 'key',
        })
      ).rows,
    ).toMatchObject([{ id: 'books:c/k', title: 'N', text: 'Text.' }]);
    await expect(ingest(file('a.jsonl', '[1]\n'))).rejects.toEqual(failing('not-json-lines'));
  });
});

describe('Parquet', () => {
  const texts = Array.from({ length: 2500 }, (_, i) => `Book number ${i}.`);

  test('every row is a book, row group by row group', async () => {
    const content = parquetWriteBuffer({
      rowGroupSize: 1000,
      columnData: [
        { name: 'title', data: texts.map((_, i) => `T${i}`), type: 'STRING' },
        { name: 'text', data: texts, type: 'STRING' },
      ],
    });
    const { rows } = await ingest(file('open.parquet', new Uint8Array(content)));
    expect(rows.map(({ text }) => text)).toEqual(texts);
    expect(rows[2499]).toMatchObject({ id: 'books:open/2500', title: 'T2499' });
  });

  const missing = missingModules('pyarrow');
  test.skipIf(missing !== undefined).each(['snappy', 'zstd', 'gzip', 'none'])(
    `as pyarrow writes it: %s${because(missing)}`,
    async (codec) => {
      const path = join(folder, `${codec}.parquet`);
      runPython(
        [
          '-c',
          'import pyarrow as pa, pyarrow.parquet as pq, sys, json\npq.write_table(pa.table({"text": ' +
            'json.load(sys.stdin), "tags": [["a"]] * 2500}), sys.argv[1], compression=sys.argv[2], ' +
            'row_group_size=700)',
          path,
          codec,
        ],
        texts,
      );
      expect((await ingest(path)).rows.map(({ text }) => text)).toEqual(texts);
    },
  );

  test('one that lacks the column, or is cut off, is refused', async () => {
    const content = Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'body', data: ['x'], type: 'STRING' }] }));
    await expect(ingest(file('body.parquet', content))).rejects.toEqual(failing('missing-column'));
    await expect(ingest(file('cut.parquet', content.subarray(0, content.length - 10)))).rejects.toEqual(
      failing('damaged-parquet'),
    );
  });
});
