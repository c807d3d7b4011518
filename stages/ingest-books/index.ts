import { canonicalJson } from '../../src/core/artifact.ts';
import { defineStage } from '../../src/core/stage.ts';
import { DocumentOutput } from '../../src/corpus/document-output.ts';
import { decodeAs, decodeText } from '../../src/text/encoding/decode.ts';
import { readBook } from '../../src/text/gutenberg.ts';
import type { BookFile } from './book-file.ts';
import type { Config } from './config.ts';
import { readBookFiles } from './files.ts';
import { check } from './check.ts';

/** Books as documents; see BookCorpus in the RoBERTa paper, section 3.2. */
export default defineStage<Config>({
  description:
    'Read books from text files, EPUB, JSON Lines, Parquet and archives, one document per book, without ' +
    'the Project Gutenberg header and licence.',
  inputs: {},
  outputs: {
    documents: { contract: 'documents', description: 'one row per book' },
    metrics: {
      contract: 'metrics',
      description: 'documents, bytes, reasons for skipping, lengths, languages',
      optional: true,
    },
  },
  map: 'path',
  check,
  async run(context) {
    const { config } = context;
    const output = new DocumentOutput(context);
    const options = {
      checksum: config.checksum,
      fields: { text: config.text_field, title: config.title_field, id: config.id_field },
    };
    const ids = new Map<string, number>();
    let done = 0;
    for (const source of context.sources('path'))
      for await (const file of readBookFiles(source, context, output.report, options)) {
        context.signal.throwIfAborted();
        output.read(file.bytes);
        const { text, encoding } = decode(file.content, config.encoding);
        if (config.encoding === '' && !/^(?:utf-.*)?$/.test(encoding))
          context.log(
            `${file.path} is not UTF-8; read as ${encoding}, which was detected. Set \`encoding\` if that is wrong.`,
          );
        const row = toDocument(file, text, encoding, config);
        await output.settle(typeof row === 'string' ? row : { ...row, id: unique(row.id, ids) });
        if (typeof row === 'string') context.log(`skipped ${file.path}: ${row}`);
        else context.progress(++done, undefined, 'documents', file.path);
      }
    await output.end();
  },
});

/** The row of a book, or the reason why it was skipped. */
function toDocument(file: BookFile, raw: string, encoding: string, config: Config) {
  if (raw.includes('\0')) return 'binary';
  const book = readBook(raw, file.format !== 'epub');
  if (book.text === '') return 'empty';
  const meta = { author: file.author || book.author, ebook: book.ebook, encoding, file: file.path };
  return {
    id: `${config.source}:${file.name}`,
    source: config.source,
    snapshot: config.snapshot,
    url: book.ebook === '' ? '' : `https://www.gutenberg.org/ebooks/${book.ebook}`,
    title: file.title || book.title,
    text: book.text,
    lang: config.lang || file.lang || book.lang,
    meta: canonicalJson(Object.fromEntries(Object.entries(meta).filter(([, value]) => value !== ''))),
  };
}

function decode(content: string | Uint8Array, encoding: string): { readonly text: string; readonly encoding: string } {
  if (typeof content === 'string') return { text: content, encoding: '' };
  return encoding === '' ? decodeText(content) : { text: decodeAs(content, encoding), encoding };
}

/** An archive may contain a path twice, and records may share an id. */
function unique(id: string, seen: Map<string, number>): string {
  const times = (seen.get(id) ?? 0) + 1;
  seen.set(id, times);
  return times === 1 ? id : `${id}~${times}`;
}
