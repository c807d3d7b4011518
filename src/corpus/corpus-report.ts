import type { Row } from '../core/data.ts';
import type { StageContext } from '../core/stage.ts';
import { TopCounts } from './top-counts.ts';

type Context = Pick<StageContext, 'count' | 'drop' | 'writer'>;

/** Metrics, for the run and as rows of the output `metrics`. */
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

/** Counts of a shard, for the run, which adds them up, and as rows `in` of the output `metrics`. */
export async function reportCounts(context: Context, counts: Readonly<Record<string, number>>): Promise<void> {
  const report = new CorpusReport(context);
  for (const [name, value] of Object.entries(counts)) {
    context.count(name, value);
    report.add(name, 'in', value);
  }
  await report.end();
}

/**
 * Counts what a stage does with documents: as counters of the run (`documents.in`, `documents.out`, `dropped.<reason>`)
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

  /** A document came in; its text, or the bytes that its source takes up. */
  read(content: string | number): void {
    this.add('documents', 'in');
    this.add('bytes', 'in', typeof content === 'number' ? content : Buffer.byteLength(content));
    this.context.count('documents.in');
    this.context.count('documents.out', 0); // told even when none is
  }

  /** A document goes on: a row of contract `documents`, as far as it has its columns. */
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

  /** A document goes no further. */
  drop(reason: string): void {
    this.add('dropped', reason);
    this.context.drop(reason);
  }

  /** A document became a number of documents that go on; those beyond the first are counted. */
  split(documents: number): void {
    if (documents > 1) this.count('split', 'documents', documents - 1);
  }

  /** Something of the stage's own: as the counter `<name>.<label>` of the run as well. */
  count(name: string, label: string, by = 1): void {
    this.add(name, label, by);
    this.context.count(`${name}.${label}`, by);
  }

  /** Anything else that adds up, such as `tokens`. */
  add(name: string, label: string, by = 1): void {
    let labels = this.totals.get(name);
    if (labels === undefined) this.totals.set(name, (labels = new Map<string, number>()));
    labels.set(label, (labels.get(label) ?? 0) + by);
  }

  /** Write the table: names in the order in which they came up, labels by value, at most 100 domains. */
  async end(): Promise<void> {
    const out = this.context.writer('metrics');
    for (const [name, labels] of this.totals)
      for (const [label, value] of name === 'length' ? [...labels].sort(([a], [b]) => Number(a) - Number(b)) : labels)
        await out.add({ name, label, value });
    for (const [label, value] of this.domains.top(100)) await out.add({ name: 'domain', label, value });
  }
}

/** The greatest power of two that is not above a length; 0 for 0. */
function lengthClass(characters: number): number {
  return characters === 0 ? 0 : 2 ** (31 - Math.clz32(characters));
}

/** Host name of an http(s) address without `www.`, lower-case; empty when there is none. */
function domainOf(url: string): string {
  return /^https?:\/\/(?:[^/?#@]*@)?(?:www\.)?([^/?#:]+)/i.exec(url)?.[1]?.toLowerCase() ?? '';
}
