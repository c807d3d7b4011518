import type { DatasetWriter, Shard } from '../core/data.ts';
import type { StageContext } from '../core/stage.ts';
import { CorpusReport } from './corpus-report.ts';
import { saysWhatItHolds, type Document } from './document.ts';

/** What becomes of a document: it goes on, as it is or changed; it becomes several; or the reason why it is dropped. */
export type Verdict = Document | readonly Document[] | string;

/**
 * The outputs of a stage that decides on documents: `documents` for those that go on, `rejects`, where wanted, for
 * dropped ones with the reason, and `metrics` for the counts, which the run has as well.
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

  /** A document came in; its text, or the bytes that its source takes up. */
  read(content: string | number): void {
    this.report.read(content);
  }

  /**
   * Write and count what becomes of a document that was read.
   * @param original what `rejects` has of it when it is dropped
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
   * Let shards through by reference, so that what comes next need not look at them again; their documents are then only
   * counted. Not done, and `false`, when one does not say what it holds: it has to be written again.
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
