import { createReadStream } from 'node:fs';
import { fail, Failure } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { bzip2Ranges } from '../../src/data/bzip2-streams.ts';
import { CorpusReport } from '../../src/data/corpus-report.ts';
import { compressionOf, decompress } from '../../src/data/decompress.ts';
import { peekBytes } from '../../src/data/peek.ts';
import { ShardedDocuments } from '../../src/data/sharded-documents.ts';
import { openStageSource, type OpenSource } from '../../src/data/source.ts';
import { inOrder, TaskPool } from '../../src/data/task-pool.ts';
import { readMediaWiki, type WikiPage } from '../../src/text/mediawiki-xml.ts';
import { tasks, type Batch, type ExtractOptions } from './tasks.ts';
import { check } from './check.ts';

interface Config extends ExtractOptions {
  readonly dump: string | readonly string[];
  readonly checksum: string;
  readonly max_documents?: number;
}

/** Articles of a wiki as documents. With several cores, streams are decompressed and pages read side by side. */
export default defineStage<Config>({
  description: 'Read the articles of a MediaWiki dump as plain text.',
  inputs: {},
  outputs: {
    documents: { contract: 'documents', description: 'one row an article' },
    metrics: { contract: 'metrics', description: 'pages, bytes, reasons for leaving out, lengths', optional: true },
  },
  map: 'dump',
  check,
  async run(context) {
    const { config } = context;
    const documents = new ShardedDocuments(context.writer('documents'));
    const report = new CorpusReport(context);
    const pool = new TaskPool(tasks, new URL('./tasks.js', import.meta.url), context.cpus);
    try {
      for (const source of context.sources('dump')) {
        const { drop_sections, lang, min_characters, source: corpus, variant } = config;
        const options = { drop_sections, lang, min_characters, source: corpus, variant, snapshot: config.snapshot || snapshotOf(source.name) };
        const file = await openStageSource(source, context, config.checksum);
        try {
          await ingest(file, options, pool, documents, report, context);
        } catch (error) {
          if (error instanceof Failure) await file.discard();
          throw error;
        }
      }
    } finally {
      await pool.close();
    }
    await documents.end();
    await report.end();
  },
});

type Pool = TaskPool<typeof tasks>;

async function ingest(file: OpenSource, options: ExtractOptions, pool: Pool, documents: ShardedDocuments, report: CorpusReport, context: StageContext<Config>): Promise<void> {
  let bytesRead = 0;
  const chunks = pool.size === 1 ? undefined : await streamByStream(file, pool, context.signal, (position) => (bytesRead = position));
  const batches = batchesOf(readMediaWiki(chunks ?? file.read(), file.name), options);
  let kept = 0;
  for await (const outcomes of inOrder(batches, pool.size * 2 - 1, (batch) => pool.run('extract', batch))) {
    context.signal.throwIfAborted();
    for (const { title, bytes, result } of outcomes) {
      report.read(bytes);
      context.progress(chunks === undefined ? file.bytesRead : bytesRead, file.bytes, 'bytes', title);
      if (typeof result === 'string') report.drop(result);
      else {
        await documents.add(result);
        report.keep(result);
        if (++kept === context.config.max_documents) return;
      }
    }
  }
}

/** Text of pages that is worked on in one go: enough to make up for the way to another thread and back. */
const batchChars = 1 << 20;

async function* batchesOf(pages: ReturnType<typeof readMediaWiki>, options: ExtractOptions): AsyncGenerator<Batch> {
  let batch: WikiPage[] = [];
  let chars = 0;
  let site: Batch['site'] | undefined;
  for await (const { site: own, page } of pages) {
    site = own;
    batch.push(page);
    chars += page.text.length;
    if (chars < batchChars && batch.length < 1000) continue;
    yield { site, pages: batch, options };
    batch = [];
    chars = 0;
  }
  if (site !== undefined && batch.length > 0) yield { site, pages: batch, options };
}

/** Compressed bytes of the streams that a thread decompresses in one go, at least; above the second they are read bit by bit. */
const rangeBytes = 1 << 20;
const maxRangeBytes = 8 << 20;

/** The text of a bzip2 file, its streams decompressed side by side; `undefined` for other files. */
async function streamByStream(file: OpenSource, pool: Pool, signal: AbortSignal, onRead: (position: number) => void): Promise<AsyncGenerator<Uint8Array> | undefined> {
  const { path, name } = file;
  const { head, all } = await peekBytes(createReadStream(path, { end: 3 }), 4);
  await all.return(undefined);
  if (compressionOf(head) !== 'bzip2') return undefined;
  async function* text(): AsyncGenerator<Uint8Array> {
    const parts = inOrder(bzip2Ranges(path, rangeBytes, signal), pool.size, async (range) => ({
      range,
      bytes: range.end - range.start <= maxRangeBytes ? await pool.run('decompress', { path, name, range }) : undefined,
    }));
    for await (const { range: { start, end }, bytes } of parts) {
      if (bytes !== undefined) yield bytes;
      else yield* decompress(createReadStream(path, { start, end: end - 1, highWaterMark: 1 << 18, signal }), name);
      onRead(end);
    }
  }
  return text();
}

/** The date in `enwiki-20261101-pages-articles.xml.bz2`. */
function snapshotOf(name: string): string {
  const date = /-(\d{4})(\d{2})(\d{2})-/.exec(name);
  if (date === null) fail('no-snapshot', `${name} does not say when it was taken`, 'Set `snapshot: YYYY-MM-DD` in the stage.');
  return `${date[1]}-${date[2]}-${date[3]}`;
}
