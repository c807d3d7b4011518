import type { DatasetWriter, Shard } from '../core/data.ts';
import type { StageContext } from '../core/stage.ts';
import { CorpusReport } from './corpus-report.ts';
import { saysWhatItHolds, type Document } from './document.ts';

/** The outcome for a document: itself, unchanged or changed; several documents; or the reason why it is dropped. */
export type Verdict = Document | readonly Document[] | string;

/**
 * The outputs of a stage that filters documents: `documents` for those that are kept, optionally `rejects` for dropped
 * ones with the reason, and `metrics` for the counts, which the run also reports.
 * @example
 * const output = new DocumentOutput(context);
 * output.read(page.bytes);
 * await output.settle(page.text === '' ? 'empty' : toDocument(page));
 * await output.end();
 */
export class DocumentOutput {
  readonly report: CorpusReport;
  private readonly documents: DatasetWriter;
  private readonly rejects: DatasetWriter | undefined;

  constructor(context: Pick<StageContext, 'count' | 'drop' | 'writer'>, { rejects = false } = {}) {
    this.report = new CorpusReport(context);
    this.documents = context.writer('documents');
    this.rejects = rejects ? context.writer('rejects') : undefined;
  }

  /** Count an incoming document, given its text or the number of bytes of its source. */
  read(content: string | number): void {
    this.report.read(content);
  }

  /**
   * Write and count the outcome for a document that was read.
   * @param original what to write to `rejects` when it is dropped
   */
  async settle(verdict: Verdict, original?: Document): Promise<void> {
    if (typeof verdict === 'string') {
      this.report.drop(verdict);
      if (original !== undefined) await this.rejects?.add({ ...original, reason: verdict });
      return;
    }
    const kept = isSeveral(verdict) ? verdict : [verdict];
    for (const document of kept) {
      this.report.keep(document);
      await this.documents.add(document);
    }
    this.report.split(kept.length);
  }

  /**
   * Link shards instead of copying them, so that later stages can reuse their results; their documents are only
   * counted. Returns `false`, and links nothing, when a shard's meta does not describe it: then it must be written
   * again.
   */
  link(shards: readonly Shard[]): boolean {
    if (!shards.every(saysWhatItHolds)) return false;
    for (const shard of shards) this.documents.link(shard);
    return true;
  }

  /** Write the counts. */
  async end(): Promise<void> {
    await this.report.end();
  }
}

// `Array.isArray` does not narrow read-only arrays.
function isSeveral(verdict: Document | readonly Document[]): verdict is readonly Document[] {
  return Array.isArray(verdict);
}
