import type { Diagnostic } from '../core/diagnostic.ts';
import { locationOf, type Span } from './node.ts';

const shownAtMost = 100;

/** Collects the problems of a pipeline, so that all can be reported at once. */
export class Problems {
  private readonly found = new Map<string, Diagnostic>();

  /** Number of distinct problems; compare before and after a step to see whether it succeeded. */
  get count(): number {
    return this.found.size;
  }

  /** Add a problem; one shared by several instances of a stage is kept once. */
  add(code: string, message: string, at?: Span, help?: string, stage?: string): void {
    this.addDiagnostic({
      code,
      message,
      ...(at === undefined ? {} : { location: locationOf(at) }),
      ...(help === undefined ? {} : { help }),
      ...(stage === undefined ? {} : { stage }),
    });
  }

  addDiagnostic(diagnostic: Diagnostic): void {
    const { location } = diagnostic;
    const key = `${location?.file}:${location?.line}:${location?.column}:${diagnostic.code}:${diagnostic.message}`;
    if (!this.found.has(key)) this.found.set(key, diagnostic);
  }

  /** Every problem in reading order. */
  list(): readonly Diagnostic[] {
    const all = [...this.found.values()].sort(inReadingOrder);
    if (all.length <= shownAtMost) return all;
    return [
      ...all.slice(0, shownAtMost),
      { code: 'more-problems', message: `and ${all.length - shownAtMost} more problems` },
    ];
  }
}

function inReadingOrder(a: Diagnostic, b: Diagnostic): number {
  const [x, y] = [a.location, b.location];
  if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
  if (x.file !== y.file) return x.file < y.file ? -1 : 1;
  return x.line - y.line || x.column - y.column;
}
