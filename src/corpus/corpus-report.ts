import type { Row } from '../core/data.ts';
import type { StageContext } from '../core/stage.ts';
import { TopCounts } from './top-counts.ts';

type Context = Pick<StageContext, 'count' | 'drop' | 'writer'>;

/** Metrics for the run, which are also rows of the output `metrics`. */
export async function reportMetrics(
  context: Context & Pick<StageContext, 'metric'>,
  metrics: Readonly<Record<string, number>>,
): Promise<void> {
  const report = new CorpusReport(context);
  for (const [name, value] of Object.entries(metrics)) {
    context.metric(name, value);
    report.add(name, '', value);
  }
  await report.end();
}

/** Counts of a shard for the run, which adds them up; also rows `in` of the output `metrics`. */
export async function reportCounts(context: Context, counts: Readonly<Record<string, number>>): Promise<void> {
  const report = new CorpusReport(context);
  for (const [name, value] of Object.entries(counts)) {
    context.count(name, value);
    report.add(name, 'in', value);
  }
  await report.end();
}

/**
 * Counts what a stage does to documents: as counters of the run (`documents.in`, `documents.out`, `dropped.<reason>`)
 * and, with {@link end}, as rows of its output `metrics` (contract `metrics`). Memory does not grow with the corpus.
 * @example
 * const report = new CorpusReport(context);
 * report.read(row.text);
 * if (reason === undefined) report.keep(row); else report.drop(reason);
 * await report.end();
 */
export class CorpusReport {
  private readonly context: Context;
  private readonly totals = new Map<string, Map<string, number>>();
  private readonly domains = new TopCounts(10_000);

  constructor(context: Context) {
    this.context = context;
  }

  /** Count an incoming document, given its text or the number of bytes of its source. */
  read(content: string | number): void {
    this.add('documents', 'in');
    this.add('bytes', 'in', typeof content === 'number' ? content : Buffer.byteLength(content));
    this.context.count('documents.in');
    this.context.count('documents.out', 0); // reported even when it is 0
  }

  /** Count a kept document: a row of contract `documents`, possibly without some columns. */
  keep(row: Row): void {
    const { text = '', lang, url } = row;
    this.add('documents', 'out');
    this.add('bytes', 'out', Buffer.byteLength(String(text)));
    this.add('length', String(lengthClass(String(text).length)));
    if (typeof lang === 'string' && lang !== '') this.add('language', lang);
    const domain = domainOf(typeof url === 'string' ? url : '');
    if (domain !== '') this.domains.add(domain);
    this.context.count('documents.out');
  }

  /** Count a dropped document. */
  drop(reason: string): void {
    this.add('dropped', reason);
    this.context.drop(reason);
  }

  /** Count a document that was split into several; those beyond the first are counted. */
  split(documents: number): void {
    if (documents > 1) this.count('split', 'documents', documents - 1);
  }

  /** Count something specific to the stage, also as the counter `<name>.<label>` of the run. */
  count(name: string, label: string, by = 1): void {
    this.add(name, label, by);
    this.context.count(`${name}.${label}`, by);
  }

  /** Any other sum, such as `tokens`. */
  add(name: string, label: string, by = 1): void {
    let labels = this.totals.get(name);
    if (labels === undefined) this.totals.set(name, (labels = new Map<string, number>()));
    labels.set(label, (labels.get(label) ?? 0) + by);
  }

  /** Write the table: names in order of first use, labels by value, at most 100 domains. */
  async end(): Promise<void> {
    const out = this.context.writer('metrics');
    for (const [name, labels] of this.totals)
      for (const [label, value] of name === 'length' ? [...labels].sort(([a], [b]) => Number(a) - Number(b)) : labels)
        await out.add({ name, label, value });
    for (const [label, value] of this.domains.top(100)) await out.add({ name: 'domain', label, value });
  }
}

/** The greatest power of two that is at most a length; 0 for 0. */
function lengthClass(characters: number): number {
  return characters === 0 ? 0 : 2 ** (31 - Math.clz32(characters));
}

/** Host name of an http(s) address without `www.`, lower-case; empty when there is none. */
function domainOf(url: string): string {
  return /^https?:\/\/(?:[^/?#@]*@)?(?:www\.)?([^/?#:]+)/i.exec(url)?.[1]?.toLowerCase() ?? '';
}
