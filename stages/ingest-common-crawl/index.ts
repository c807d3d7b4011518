import { fail, Failure } from '../../src/core/diagnostic.ts';
import { defineStage, type Source, type StageContext } from '../../src/core/stage.ts';
import { DocumentOutput } from '../../src/corpus/document-output.ts';
import { readFileBytes } from '../../src/formats/file-bytes.ts';
import { openStageSource, type OpenSource } from '../../src/sources/source.ts';
import { readWarc, type BadRecord } from '../../src/formats/warc.ts';
import type { Config } from './config.ts';
import { readPage, snapshotOf, type Page } from './page.ts';
import { check } from './check.ts';

/** Web pages as documents, from WARC (ISO 28500) or WET files. */
export default defineStage<Config>({
  description: 'Read web pages from Common Crawl WARC or WET files and extract their main text.',
  inputs: {},
  outputs: {
    documents: { contract: 'documents', description: 'one row per page' },
    metrics: {
      contract: 'metrics',
      description: 'pages, bytes, reasons for skipping, lengths, top domains',
      optional: true,
    },
  },
  map: 'path',
  check,
  async run(context) {
    const output = new DocumentOutput(context);
    for (const source of context.sources('path')) {
      const file = await openStageSource(source, context, context.config.checksum);
      try {
        await ingest(file, source, output, context);
      } catch (error) {
        if (error instanceof Failure) await file.discard();
        throw error;
      }
    }
    await output.end();
  },
});

async function ingest(
  file: OpenSource,
  source: Source,
  output: DocumentOutput,
  context: StageContext<Config>,
): Promise<void> {
  const { config } = context;
  const tally = new Tally(source.name, config.max_bad_records);
  let { snapshot } = config;
  let documents = 0;
  let bytes = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of readFileBytes(file.path, context.signal)) {
      bytes += chunk.length;
      context.count('bytes', chunk.length);
      context.progress(bytes, file.bytes, 'bytes', `${source.name}: ${documents} documents`);
      yield chunk;
    }
  }
  for await (const record of readWarc(counted(), { name: source.name })) {
    context.count('records');
    tally.add(record.ok ? undefined : record);
    if (!record.ok) {
      context.count(`records.${record.reason}`);
      context.log(`${source.name}: skipped a record (${record.reason}: ${record.detail}) ${record.record}`);
      continue;
    }
    if (record.type === 'warcinfo') snapshot ||= snapshotOf(record);
    const page = readPage(record);
    if (page === undefined) continue;
    output.read(record.block.length);
    const verdict = judge(page, snapshot, config);
    await output.settle(verdict);
    if (typeof verdict !== 'string' && ++documents === config.max_documents) break;
  }
  tally.end();
}

/** The document of a page, or the reason why it was skipped. */
function judge(page: Page | string, snapshot: string, { source, min_characters: minCharacters }: Config) {
  if (typeof page === 'string') return page;
  if (page.text === '') return 'no-text';
  if (page.text.length < minCharacters) return 'too-short';
  return { ...page, id: `${source}:${page.id}`, source, snapshot };
}

/** Records read and damaged. Fails when too many are damaged, or when the file is cut off, which no share can show. */
class Tally {
  private readonly name: string;
  private readonly maxShare: number;
  private records = 0;
  private bad = 0;
  private last: BadRecord | undefined;
  private isCutOff = false;

  constructor(name: string, maxShare: number) {
    this.name = name;
    this.maxShare = maxShare;
  }

  add(bad: BadRecord | undefined): void {
    this.records++;
    this.isCutOff = bad?.reason === 'truncated';
    if (bad === undefined) return;
    this.bad++;
    this.last = bad;
    // There is no need to read a file to its end when all of it is damaged.
    if (this.bad >= 1000) this.checkShare();
  }

  end(): void {
    if (this.isCutOff && this.maxShare < 1)
      fail(
        'truncated-warc',
        `${this.name}: the file ends in the middle of a record, after ${this.records - 1} others`,
        'Download the file again, or set `max_bad_records: 1` to use the records that it has.',
      );
    this.checkShare();
  }

  private checkShare(): void {
    if (this.last === undefined || this.bad <= this.records * this.maxShare) return;
    fail(
      'bad-records',
      `${this.name}: ${this.bad} of ${this.records} records are damaged, more than max_bad_records ` +
        `(${this.maxShare}) allows; the last one: ${this.last.reason}, ${this.last.detail}`,
      'Download the file again; if it is meant to be like this, increase max_bad_records.',
    );
  }
}
