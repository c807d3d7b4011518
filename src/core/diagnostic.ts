/** A place in a text file; lines and columns count from 1, `length` is in characters. */
export interface SourceLocation {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
}

/** One problem: what, where and what to do next. `code` is stable and kebab-case, so scripts and docs can name it. */
export interface Diagnostic {
  readonly code: string;
  readonly message: string;
  readonly severity?: 'error' | 'warning';
  readonly location?: SourceLocation;
  readonly stage?: string;
  readonly shard?: string;
  /** How to fix it, in one sentence. */
  readonly help?: string;
}

/**
 * Carries a {@link Diagnostic} out of deeply nested stage code, such as a reader in a generator in a stage. The
 * framework turns it back into a value where the stage's `run` returns, so users never see its stack.
 */
export class Failure extends Error {
  readonly diagnostic: Diagnostic;
  constructor(diagnostic: Diagnostic, options?: ErrorOptions) {
    super(diagnostic.message, options);
    this.name = 'Failure';
    this.diagnostic = diagnostic;
  }
}

/** Shorthand for `throw new Failure({...})` in expression position. */
export function fail(code: string, message: string, help?: string, cause?: unknown): never {
  throw new Failure(
    { code, message, ...(help === undefined ? {} : { help }) },
    cause === undefined ? undefined : { cause },
  );
}
