import { canonicalJson } from '../../src/core/artifact.ts';
import { fail, Failure } from '../../src/core/diagnostic.ts';
import { defineStage, type StageContext } from '../../src/core/stage.ts';
import { CorpusReport } from '../../src/data/corpus-report.ts';
import { ShardedDocuments } from '../../src/data/sharded-documents.ts';
import { openStageSource, type OpenSource } from '../../src/data/source.ts';
import { readMediaWiki, type SiteInfo, type WikiPage } from '../../src/text/mediawiki-xml.ts';
import { wikitextToText } from '../../src/text/wikitext.ts';
import { check } from './check.ts';

interface Config {
  readonly dump: string | readonly string[];
  readonly snapshot: string;
  readonly source: string;
  readonly lang: string;
  readonly checksum: string;
  readonly min_characters: number;
  readonly max_documents?: number;
  readonly variant: string;
  readonly drop_sections: readonly string[];
}

/** Articles of a wiki as documents. */
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
    for (const source of context.sources('dump')) {
      const snapshot = config.snapshot || snapshotOf(source.name);
      const file = await openStageSource(source, context, config.checksum);
      try {
        await ingest(file, source.name, snapshot, documents, report, context);
      } catch (error) {
        if (error instanceof Failure) await file.discard();
        throw error;
      }
    }
    await documents.end();
    await report.end();
  },
});

async function ingest(file: OpenSource, name: string, snapshot: string, documents: ShardedDocuments, report: CorpusReport, context: StageContext<Config>): Promise<void> {
  const { config } = context;
  let kept = 0;
  for await (const { site, page } of readMediaWiki(file.read(), name)) {
    context.signal.throwIfAborted();
    report.read(page.text);
    context.progress(file.bytesRead, file.bytes, 'bytes', page.title);
    const reason = unwanted(page);
    const text = reason === undefined ? toText(page, site, config) : '';
    if (reason !== undefined || text.length < config.min_characters || text === '') {
      report.drop(reason ?? (text === '' ? 'empty' : 'short'));
      continue;
    }
    const row = toRow(page, site, text, snapshot, config);
    await documents.add(row);
    report.keep(row);
    if (++kept === config.max_documents) return;
  }
}

/** Why a page is no article. */
function unwanted(page: WikiPage): string | undefined {
  if (page.namespace !== 0) return 'namespace';
  if (page.redirect !== undefined || /^\s*#(?:redirect|重定向)\s*:?\s*\[\[/i.test(page.text)) return 'redirect';
  return page.model === 'wikitext' ? undefined : 'model';
}

function toText(page: WikiPage, site: SiteInfo, config: Config): string {
  return wikitextToText(page.text, { title: page.title, namespaces: site.namespaces, variant: config.variant, dropSections: config.drop_sections });
}

function toRow(page: WikiPage, site: SiteInfo, text: string, snapshot: string, config: Config) {
  const lang = config.lang || site.lang;
  return {
    id: `${site.dbname || `${lang.replaceAll('-', '_')}wiki`}:${page.id}`,
    source: config.source,
    snapshot,
    url: site.baseUrl === '' ? '' : site.baseUrl + encodeURI(page.title.replaceAll(' ', '_')).replace(/[?#]/g, encodeURIComponent),
    title: page.title,
    text,
    lang,
    meta: canonicalJson(page.timestamp === '' ? {} : { timestamp: page.timestamp }),
  };
}

/** The date in `enwiki-20261101-pages-articles.xml.bz2`. */
function snapshotOf(name: string): string {
  const date = /-(\d{4})(\d{2})(\d{2})-/.exec(name);
  if (date === null) fail('no-snapshot', `${name} does not say when it was taken`, 'Set `snapshot: YYYY-MM-DD` in the stage.');
  return `${date[1]}-${date[2]}-${date[3]}`;
}
