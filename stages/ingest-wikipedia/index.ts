import { createReadStream } from 'node:fs';
import { fail, Failure } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { bzip2Ranges, type StreamRange } from '../../src/formats/bzip2-streams.ts';
import { DocumentOutput } from '../../src/corpus/document-output.ts';
import { compressionOf, decompress } from '../../src/formats/decompress.ts';
import { peekBytes } from '../../src/formats/peek.ts';
import { openStageSource, type OpenSource } from '../../src/sources/source.ts';
import { inOrder, TaskPool } from '../../src/threads/task-pool.ts';
import { MediaWikiReader, readMediaWiki, type SiteInfo, type WikiPage } from '../../src/formats/mediawiki-xml.ts';
import type { Config } from './config.ts';
import { tasks, type Batch, type ExtractOptions, type Outcome } from './tasks.ts';
import { check } from './check.ts';

/** Articles of a wiki as documents. With several cores, streams are decompressed and pages read side by side. */
export default defineStage<Config>({
  description: 'Read the articles of a MediaWiki dump as plain text.',
  inputs: {},
  outputs: {
    documents: { contract: 'documents', description: 'one row per article' },
    metrics: { contract: 'metrics', description: 'pages, bytes, reasons for skipping, lengths', optional: true },
  },
  map: 'dump',
  check,
  async run(context) {
    const { config } = context;
    const output = new DocumentOutput(context);
    const pool = new TaskPool(tasks, new URL('./tasks.js', import.meta.url), context.cpus);
    try {
      for (const source of context.sources('dump')) {
        const { drop_sections, lang, min_characters, source: corpus, variant } = config;
        const options = {
          drop_sections,
          lang,
          min_characters,
          source: corpus,
          variant,
          snapshot: config.snapshot || snapshotOf(source.name),
        };
        const file = await openStageSource(source, context, config.checksum);
        try {
          await ingest(file, options, pool, output, context);
        } catch (error) {
          if (error instanceof Failure) await file.discard();
          throw error;
        }
      }
    } finally {
      await pool.close();
    }
    await output.end();
  },
});

type Pool = TaskPool<typeof tasks>;

/** Outcomes of some pages in order, and how many bytes of the file they took. */
interface Portion {
  readonly outcomes: readonly Outcome[];
  readonly position: number;
}

async function ingest(
  file: OpenSource,
  options: ExtractOptions,
  pool: Pool,
  output: DocumentOutput,
  context: StageContext<Config>,
): Promise<void> {
  const ranges = pool.size === 1 ? undefined : await severalRanges(file, context.signal);
  const site = ranges === undefined ? undefined : await siteOf(file);
  const portions =
    ranges === undefined || site === undefined
      ? byBatch(file, options, pool)
      : byRange(file, { ranges, site }, options, pool, context.signal);
  let kept = 0;
  for await (const { outcomes, position } of portions) {
    context.signal.throwIfAborted();
    for (const { title, bytes, result } of outcomes) {
      output.read(bytes);
      context.progress(position, file.bytes, 'bytes', title);
      await output.settle(result);
      if (typeof result !== 'string' && ++kept === context.config.max_documents) return;
    }
  }
}

/** Pages that are read here, one after another, and processed in parallel. */
async function* byBatch(file: OpenSource, options: ExtractOptions, pool: Pool): AsyncGenerator<Portion> {
  const batches = batchesOf(readMediaWiki(file.read(), file.name), options);
  for await (const outcomes of inOrder(batches, pool.size * 2 - 1, (batch) => pool.run('extract', batch)))
    yield { outcomes, position: file.bytesRead };
}

/** Amount of text per task: enough to make up for the way to another thread and back. */
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

/**
 * Minimum of compressed bytes that a thread reads per task. Streams above the second limit are read piece by piece,
 * here.
 */
const rangeBytes = 1 << 20;
const maxRangeBytes = 8 << 20;

/**
 * Streams of a dump that are decompressed, read and processed in parallel. Pages that span them are put together here.
 */
async function* byRange(
  { path, name }: OpenSource,
  { ranges, site }: { readonly ranges: AsyncIterable<StreamRange>; readonly site: SiteInfo },
  options: ExtractOptions,
  pool: Pool,
  signal: AbortSignal,
): AsyncGenerator<Portion> {
  const reader = new MediaWikiReader(name);
  const read = (bytes: Uint8Array): readonly Outcome[] =>
    tasks.extract({ site, pages: [...reader.push(bytes)], options });
  const results = inOrder(ranges, pool.size * 2 - 1, async (range) => ({
    range,
    result:
      range.end - range.start <= maxRangeBytes
        ? await pool.run('range', { path, name, range, site, options })
        : undefined,
  }));
  for await (const {
    range: { start, end },
    result,
  } of results) {
    if (result === undefined) {
      for await (const bytes of decompress(
        createReadStream(path, { start, end: end - 1, highWaterMark: 1 << 18, signal }),
        name,
      ))
        yield { outcomes: read(bytes), position: start };
    } else {
      const { head, outcomes, tail } = result;
      yield { outcomes: read(head), position: start };
      yield { outcomes, position: end };
      reader.pages += outcomes.length;
      yield { outcomes: read(tail), position: end };
    }
  }
  reader.end();
}

/** The ranges of a multistream bzip2 file; `undefined` for one with a single stream and for other files. */
async function severalRanges(
  { path, bytes }: OpenSource,
  signal: AbortSignal,
): Promise<AsyncIterable<StreamRange> | undefined> {
  const { head, close } = await peekBytes(createReadStream(path, { end: 3 }), 4);
  await close();
  if (compressionOf(head) !== 'bzip2') return undefined;
  const ranges = bzip2Ranges(path, rangeBytes, signal);
  const first = await ranges.next();
  if (first.done === true || first.value.end === bytes) return undefined;
  return (async function* () {
    yield first.value;
    yield* ranges;
  })();
}

/** The header of a dump, or `undefined` when no page follows. */
async function siteOf(file: OpenSource): Promise<SiteInfo | undefined> {
  for await (const { site } of readMediaWiki(file.read(), file.name)) return site;
  return undefined;
}

/** The date in `enwiki-20261101-pages-articles.xml.bz2`. */
function snapshotOf(name: string): string {
  const date = /-(\d{4})(\d{2})(\d{2})-/.exec(name);
  if (date === null) fail('no-snapshot', `the name ${name} has no date`, 'Set `snapshot: YYYY-MM-DD` in the stage.');
  return `${date[1]}-${date[2]}-${date[3]}`;
}
