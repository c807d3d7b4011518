import { canonicalJson } from '../../src/core/artifact.ts';
import { defineStage } from '../../src/core/stage.ts';
import { decodeText } from '../../src/text/decode.ts';
import { readBook } from '../../src/text/gutenberg.ts';
import { readBookFiles, type BookFile } from './files.ts';
import { check } from './check.ts';

interface Config {
  readonly path: string | readonly string[];
  readonly snapshot: string;
  readonly source: string;
  readonly lang: string;
  readonly checksum: string;
}

/** Books as documents: plain text, alone, gzipped or in tar archives; see BookCorpus in the RoBERTa paper, section 3.2. */
export default defineStage<Config>({
  description: 'Read plain-text books, one document a book, without the Project Gutenberg header and licence.',
  inputs: {},
  outputs: { documents: { contract: 'documents', description: 'one row a book' } },
  map: 'path',
  check,
  async run(context) {
    const ids = new Map<string, number>();
    let documents = 0;
    for (const source of context.sources('path'))
      for await (const file of readBookFiles(source, context, context.config.checksum)) {
        context.count('documents.in');
        const row = toDocument(file, context.config);
        if (typeof row === 'string') {
          context.count(`dropped.${row}`);
          context.log(`left out ${file.path}: ${row}`);
          continue;
        }
        await context.writer('documents').add({ ...row, id: unique(row.id, ids) });
        context.count('documents.out');
        context.progress(++documents, undefined, 'documents', file.path);
      }
  },
});

/** The row of a book, or why there is none. */
function toDocument(file: BookFile, config: Config) {
  if (file.bytes.length === 0) return 'empty';
  const { text: raw, encoding } = decodeText(file.bytes);
  if (raw.includes('\0')) return 'binary';
  const book = readBook(raw);
  if (book.text === '') return 'empty';
  const meta = { author: book.author, ebook: book.ebook, encoding, file: file.path };
  return {
    id: `${config.source}:${file.path.replace(/\.(?:txt|text)$/i, '')}`,
    source: config.source,
    snapshot: config.snapshot,
    url: book.ebook === '' ? '' : `https://www.gutenberg.org/ebooks/${book.ebook}`,
    title: book.title,
    text: book.text,
    lang: config.lang === '' ? book.lang : config.lang,
    meta: canonicalJson(Object.fromEntries(Object.entries(meta).filter(([, value]) => value !== ''))),
  };
}

/** A tar archive may hold a path twice. */
function unique(id: string, seen: Map<string, number>): string {
  const times = (seen.get(id) ?? 0) + 1;
  seen.set(id, times);
  return times === 1 ? id : `${id}~${times}`;
}
