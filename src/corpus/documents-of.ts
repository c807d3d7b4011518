import type { StageContext } from '../core/stage.ts';
import type { CorpusReport } from './corpus-report.ts';
import type { Document } from './document.ts';

/**
 * The documents of a stage's input `documents` in order, numbered from 0. Each is counted as read. Progress is reported
 * after each, and a stage that was asked to stop stops there.
 */
export async function* documentsOf(
  context: Pick<StageContext, 'dataset' | 'progress' | 'signal'>,
  report: Pick<CorpusReport, 'read'>,
  note?: string,
): AsyncGenerator<{ readonly document: Document; readonly number: number }> {
  const input = context.dataset('documents');
  let number = 0;
  for await (const row of input.rows()) {
    const document = row as Document;
    report.read(document.text);
    yield { document, number };
    context.progress(++number, input.rowCount, 'documents', note);
    context.signal.throwIfAborted();
  }
}
